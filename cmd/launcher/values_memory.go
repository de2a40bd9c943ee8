package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/docker/go-units"
)

// parseMaxMemory takes what docker takes, 512m or 1.5GB, in binary units; a
// plain number is MB, as in SIDEKIQ_MAXMEM_MB.
func parseMaxMemory(s *settings, name, text string) error {
	if text == "off" {
		s.MaxMemory = 0
		return nil
	}
	size := text
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		size += "MB"
	}
	bytes, err := units.RAMInBytes(size)
	if err != nil || bytes <= 0 {
		return wrong(name, fmt.Sprintf("%q is no size", text), "write it like 512MB, 1.5GB, or off")
	}
	s.MaxMemory = bytes
	return nil
}

// guardOn is what --memory-guard on means.
const guardOn = 0.95

// parseGuard takes on, off, or a percentage of the container's limit.
func parseGuard(s *settings, name, text string) error {
	switch text {
	case "off":
		s.Guard = 0
		return nil
	case "on":
		s.Guard = guardOn
		return nil
	}
	digits, _ := strings.CutSuffix(text, "%")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > 100 {
		return wrong(name, fmt.Sprintf("%q is no percentage", text), "give on, off, or a percentage like 90%")
	}
	s.Guard = float64(n) / 100
	return nil
}
