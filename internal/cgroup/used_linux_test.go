package cgroup

import "testing"

// TestUsed: the page cache does not count, and the tightest limit does.
func TestUsed(t *testing.T) {
	v2 := tree(t, map[string]string{
		"proc/self/cgroup": "0::/a/b\n", "proc/self/mountinfo": v2Mount,
		"sys/fs/cgroup/a/memory.max": "1000\n", "sys/fs/cgroup/a/b/memory.max": "max\n",
		"sys/fs/cgroup/a/memory.stat":   "anon 400\nfile 500\nkernel 30\nshmem 20\nkernel_stack 7\n",
		"sys/fs/cgroup/a/b/memory.stat": "anon 1\n",
	})
	v1 := tree(t, map[string]string{
		"proc/self/cgroup": "9:memory:/a\n", "proc/self/mountinfo": v1Mount,
		"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "2000\n",
		"sys/fs/cgroup/memory/a/memory.stat":           "cache 900\nrss 5\ntotal_cache 900\ntotal_rss 600\ntotal_shmem 50\n",
	})
	none := tree(t, map[string]string{
		"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": v2Mount, "sys/fs/cgroup/memory.stat": "anon 400\n",
	})
	for _, tt := range []struct {
		root        string
		used, limit int64
		ok          bool
	}{{v2, 450, 1000, true}, {v1, 650, 2000, true}, {none, 0, 0, false}} {
		used, limit, ok := usedUnder(tt.root)
		if ok != tt.ok || ok && (used != tt.used || limit != tt.limit) {
			t.Errorf("%d of %d, %v; want %d of %d, %v", used, limit, ok, tt.used, tt.limit, tt.ok)
		}
	}
}

// TestOOMGroup: it counts from our cgroup up to the first limit.
func TestOOMGroup(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  bool
	}{
		{"a container of Kubernetes", map[string]string{"a/b/memory.oom.group": "1\n", "a/b/memory.max": "1000\n"}, true},
		{"set where the limit is", map[string]string{"a/b/memory.max": "max\n", "a/memory.oom.group": "1\n", "a/memory.max": "1000\n"}, true},
		{"above the limit", map[string]string{"a/b/memory.max": "1000\n", "a/memory.oom.group": "1\n"}, false},
		{"not set", map[string]string{"a/b/memory.oom.group": "0\n", "a/b/memory.max": "1000\n"}, false},
		{"no limit", map[string]string{"a/b/memory.oom.group": "1\n", "a/b/memory.max": "max\n"}, false},
	} {
		files := map[string]string{"proc/self/cgroup": "0::/a/b\n", "proc/self/mountinfo": v2Mount, "sys/fs/cgroup/a/b/cpu.max": "max 100000\n"}
		for name, text := range tt.files {
			files["sys/fs/cgroup/"+name] = text
		}
		if got := oomGroupUnder(tree(t, files)); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
