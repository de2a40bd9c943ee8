package procfile

import "testing"

func env(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

func TestOrdinal(t *testing.T) {
	type vars = map[string]string
	const kubernetes = "KUBERNETES_SERVICE_HOST"
	for _, tt := range []struct {
		vars    vars
		ordinal int
		from    string
		ok      bool
		oneOff  bool
	}{
		{vars{}, 0, "", false, false},
		{vars{"DYNO": "worker.1"}, 0, "DYNO worker.1", true, false},
		{vars{"DYNO": "worker.3"}, 2, "DYNO worker.3", true, false},
		{vars{"DYNO": "run.9157"}, 0, "DYNO run.9157", true, true},
		{vars{"DYNO": "release.1234"}, 0, "DYNO release.1234", true, true},
		{vars{"DYNO": "scheduler.7"}, 0, "DYNO scheduler.7", true, true},
		{vars{"DYNO": "web-12a34b56d-e78f9"}, 0, "", false, false},
		{vars{"DYNO": "worker.0"}, 0, "", false, false},
		{vars{"DYNO": "worker."}, 0, "", false, false},
		{vars{"DYNO": "worker.99999999999999999999"}, 0, "", false, false},
		{vars{"DYNO": ""}, 0, "", false, false},
		{vars{kubernetes: "10.0.0.1", "HOSTNAME": "worker-0"}, 0, "HOSTNAME worker-0", true, false},
		{vars{kubernetes: "10.0.0.1", "HOSTNAME": "my-worker-9999"}, 9999, "HOSTNAME my-worker-9999", true, false},
		{vars{kubernetes: "10.0.0.1", "HOSTNAME": "worker-10000"}, 0, "", false, false},
		{vars{kubernetes: "10.0.0.1", "HOSTNAME": "worker-01"}, 0, "", false, false},
		{vars{kubernetes: "10.0.0.1", "HOSTNAME": "web-7d9f8b-2x4kz"}, 0, "", false, false},
		{vars{kubernetes: "10.0.0.1", "HOSTNAME": "-3"}, 0, "", false, false},
		{vars{kubernetes: "10.0.0.1", "HOSTNAME": "worker-"}, 0, "", false, false},
		{vars{"HOSTNAME": "laptop-3"}, 0, "", false, false},
		{vars{"POD_NAME": "worker-4"}, 4, "POD_NAME worker-4", true, false},
		{vars{kubernetes: "10.0.0.1", "POD_NAME": "worker-4", "HOSTNAME": "x-5"}, 4, "POD_NAME worker-4", true, false},
		{vars{kubernetes: "10.0.0.1", "POD_NAME": "web-abc", "HOSTNAME": "x-5"}, 0, "", false, false},
		{vars{"JOB_COMPLETION_INDEX": "6"}, 6, "JOB_COMPLETION_INDEX 6", true, false},
		{vars{"JOB_COMPLETION_INDEX": "x"}, 0, "", false, false},
		{vars{"DYNO": "worker.2", "JOB_COMPLETION_INDEX": "6"}, 1, "DYNO worker.2", true, false},
	} {
		ordinal, from, ok := Ordinal(env(tt.vars))
		if ordinal != tt.ordinal || from != tt.from || ok != tt.ok {
			t.Errorf("%v: %d, %q, %v", tt.vars, ordinal, from, ok)
		}
		if got := OneOffDyno(env(tt.vars)); got != tt.oneOff {
			t.Errorf("%v: one-off is %v", tt.vars, got)
		}
	}
}

func TestParseIndex(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "7": 7, " 12 ": 12, "": -1, "-1": -1, "x": -1, "1.5": -1, "99999999999": -1} {
		got, err := ParseIndex("INDEX", text)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q is %d (%v), want %d", text, got, err, want)
		}
	}
	if _, err := ParseIndex("INDEX", "x"); err.Error() != `INDEX: "x" is no index; give a whole number from 0 to 1000000` {
		t.Error(err)
	}
}

func TestFirstIndex(t *testing.T) {
	if FirstIndex(2, 3) != 6 || FirstIndex(0, 3) != 0 || FirstIndex(2, 0) != 0 {
		t.Error("the first index is not the ordinal times the count")
	}
}

func TestSuggest(t *testing.T) {
	names := []string{"web", "worker", "clock", "release"}
	for word, want := range map[string]string{
		"wroker": "worker", "workr": "worker", "workers": "worker", "Worker": "worker", "wbe": "web", "wev": "web",
		"relaese": "release", "rake": "", "": "", "x": "", "worker": "worker", "sidekiq": "",
	} {
		if got := Suggest(word, names); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
