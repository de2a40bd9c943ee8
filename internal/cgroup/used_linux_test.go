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
