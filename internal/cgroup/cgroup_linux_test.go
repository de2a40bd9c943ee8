package cgroup

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// tree writes files below a directory that stands for /.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const (
	v2Mount = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
	v1Mount = "33 32 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n" +
		"34 32 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n" +
		"35 32 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
)

var machines = []struct {
	name   string
	files  map[string]string
	cores  float64
	memory int64
	kills  int
	told   bool
}{
	{name: "no cgroups at all", cores: 8},
	{
		name: "v2, a container with a namespace of its own",
		files: map[string]string{
			"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": v2Mount,
			"sys/fs/cgroup/cpu.max": "150000 100000\n", "sys/fs/cgroup/memory.max": "536870912\n",
			"sys/fs/cgroup/memory.events": "low 0\nhigh 7\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n",
		},
		cores: 1.5, memory: 512 << 20, kills: 2, told: true,
	},
	{
		name: "v2, limits on the way up",
		files: map[string]string{
			"proc/self/cgroup": "0::/system.slice/app.service\n", "proc/self/mountinfo": v2Mount,
			"sys/fs/cgroup/system.slice/cpu.max":                    "200000 100000\n",
			"sys/fs/cgroup/system.slice/memory.max":                 "1073741824\n",
			"sys/fs/cgroup/system.slice/app.service/cpu.max":        "max 100000\n",
			"sys/fs/cgroup/system.slice/app.service/memory.max":     "2147483648\n",
			"sys/fs/cgroup/system.slice/app.service/memory.events":  "oom_kill 0\n",
			"sys/fs/cgroup/system.slice/other.service/cpu.max":      "1000 100000\n",
			"sys/fs/cgroup/system.slice/other.service/memory.max":   "4096\n",
			"sys/fs/cgroup/system.slice/app.service/sub/memory.max": "4096\n",
		},
		cores: 2, memory: 1 << 30, told: true,
	},
	{
		name: "v2, no limits",
		files: map[string]string{
			"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": v2Mount,
			"sys/fs/cgroup/a/cpu.max": "max 100000\n", "sys/fs/cgroup/a/memory.max": "max\n",
		},
		cores: 8,
	},
	{
		name: "v2, the quota is above the affinity",
		files: map[string]string{
			"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": v2Mount,
			"sys/fs/cgroup/cpu.max": "6400000 100000\n",
		},
		cores: 8,
	},
	{
		name: "v2, our path lies outside the namespace",
		files: map[string]string{
			"proc/self/cgroup": "0::/../../pod/x\n", "proc/self/mountinfo": v2Mount,
			"sys/fs/cgroup/memory.max": "268435456\n",
		},
		cores: 8, memory: 256 << 20,
	},
	{
		name: "v2, no file can be understood",
		files: map[string]string{
			"proc/self/cgroup": "0::/\nnonsense\n", "proc/self/mountinfo": "x\n" + v2Mount,
			"sys/fs/cgroup/cpu.max": "a b\n", "sys/fs/cgroup/memory.max": "", "sys/fs/cgroup/memory.events": "oom_kill\n",
		},
		cores: 8,
	},
	{
		name: "v1, the host's paths and a mount of our part only",
		files: map[string]string{
			"proc/self/cgroup": "5:memory:/docker/abc\n4:cpuset:/docker/abc\n3:cpu,cpuacct:/docker/abc\n",
			"proc/self/mountinfo": "33 32 0:29 /docker/abc /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n" +
				"35 32 0:31 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "134217728\n",
			"sys/fs/cgroup/memory/memory.oom_control":    "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n",
		},
		cores: 0.5, memory: 128 << 20, kills: 5, told: true,
	},
	{
		name: "v1, no limits",
		files: map[string]string{
			"proc/self/cgroup": "5:memory:/\n3:cpu,cpuacct:/\n", "proc/self/mountinfo": v1Mount,
			"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		},
		cores: 8,
	},
	{
		name: "both, with the memory in v1 and a space in the mount's path",
		files: map[string]string{
			"proc/self/cgroup": "4:memory:/app\n0::/\n",
			"proc/self/mountinfo": `35 32 0:31 / /sys/my\040memory rw - cgroup cgroup rw,memory` + "\n" +
				"41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
			"sys/my memory/app/memory.limit_in_bytes": "104857600\n",
			"sys/my memory/app/memory.oom_control":    "oom_kill 1\n",
			"sys/my memory/memory.oom_control":        "oom_kill 9\n",
			"sys/fs/cgroup/unified/cgroup.procs":      "1\n",
		},
		cores: 8, memory: 100 << 20, kills: 1, told: true,
	},
}

func TestMachines(t *testing.T) {
	for _, m := range machines {
		t.Run(m.name, func(t *testing.T) {
			root := tree(t, m.files)
			if cores, memory := limitsUnder(root, 8); cores != m.cores || memory != m.memory {
				t.Errorf("%v cores and %d bytes, want %v and %d", cores, memory, m.cores, m.memory)
			}
			if n, ok := oomKillsUnder(root); n != m.kills || ok != m.told {
				t.Errorf("%d kills, %v; want %d, %v", n, ok, m.kills, m.told)
			}
		})
	}
}

// TestHere: wherever the tests run there is some of a core, and no more than all.
func TestHere(t *testing.T) {
	cores, memory := Limits()
	if cores <= 0 || cores > float64(runtime.NumCPU()) || memory < 0 {
		t.Errorf("%v cores and %d bytes", cores, memory)
	}
	if n, ok := OOMKills(); n < 0 || !ok && n != 0 {
		t.Errorf("%d kills, %v", n, ok)
	}
}
