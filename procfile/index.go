package procfile

import (
	"fmt"
	"strconv"
	"strings"
)

// Ordinal is this container's place in the fleet, from 0, where the platform
// tells (DESIGN 4): Heroku's DYNO (worker.3 is 2, one-offs are 0), the
// completion index of an indexed Job, the name of a StatefulSet's pod (POD_NAME,
// else HOSTNAME under Kubernetes, ending in -0 to -9999). from says which
// ("DYNO worker.3"); ok is false where nothing tells.
func Ordinal(env func(string) (string, bool)) (ordinal int, from string, ok bool) {
	if dyno, set := env("DYNO"); set {
		if _, n, numbered := splitDyno(dyno); numbered {
			if OneOffDyno(env) {
				return 0, "DYNO " + dyno, true
			}
			return n - 1, "DYNO " + dyno, true
		}
	}
	if text, set := env("JOB_COMPLETION_INDEX"); set {
		if n, whole := wholeNumber(text); whole && n <= maxIndex {
			return n, "JOB_COMPLETION_INDEX " + text, true
		}
	}
	name := "POD_NAME"
	pod, set := env(name)
	if !set || pod == "" {
		if _, kubernetes := env("KUBERNETES_SERVICE_HOST"); !kubernetes {
			return 0, "", false
		}
		name = "HOSTNAME"
		pod, _ = env(name)
	}
	if n, ends := podOrdinal(pod); ends {
		return n, name + " " + pod, true
	}
	return 0, "", false
}

// OneOffDyno tells whether this is a dyno started for one command: run.N,
// release.N or scheduler.N.
func OneOffDyno(env func(string) (string, bool)) bool {
	dyno, _ := env("DYNO")
	typ, _, ok := splitDyno(dyno)
	return ok && (typ == "run" || typ == "release" || typ == "scheduler")
}

// splitDyno splits worker.3. Fir's web-12a34b56d-e78f9 has no number.
func splitDyno(dyno string) (typ string, n int, ok bool) {
	i := strings.LastIndexByte(dyno, '.')
	if i < 0 || !validType(dyno[:i]) {
		return "", 0, false
	}
	n, whole := wholeNumber(dyno[i+1:])
	return dyno[:i], n, whole && n >= 1 && n <= maxIndex
}

// podOrdinal reads the end of a StatefulSet pod's name. A Deployment's pods end
// in five random characters, so no more than four digits count.
func podOrdinal(pod string) (int, bool) {
	i := strings.LastIndexByte(pod, '-')
	if i <= 0 {
		return 0, false
	}
	digits := pod[i+1:]
	if len(digits) > 4 || len(digits) > 1 && digits[0] == '0' {
		return 0, false
	}
	return wholeNumber(digits)
}

// FirstIndex is the INDEX of the first process: ordinal times the COUNT at
// start, so that it is unique over the fleet.
func FirstIndex(ordinal, count int) int { return ordinal * max(count, 0) }

// maxIndex keeps ordinal times count within an int of 32 bits' reach in the
// programs that read INDEX.
const maxIndex = 1_000_000

// ParseIndex reads INDEX and --index: a whole number from 0. err is a *Problem.
func ParseIndex(setting, text string) (int, error) {
	n, ok := wholeNumber(strings.TrimSpace(text))
	if !ok || n > maxIndex {
		return 0, &Problem{
			Setting: setting, What: fmt.Sprintf("%s is no index", strconv.Quote(shorten(text))),
			Remedy: fmt.Sprintf("give a whole number from 0 to %d", maxIndex),
		}
	}
	return n, nil
}
