package main

import (
	"fmt"
	"slices"
	"strings"

	"dyno/procfile"

	"github.com/pelletier/go-toml/v2/unstable"
)

// wrongKind says what a value is, where the setting cannot have such a one.
func wrongKind(one *setting, k configKey) string {
	number := slices.Contains([]string{"N", "TIME", "SIZE", "PERCENT"}, one.value)
	switch k.kind {
	case unstable.String:
		return ""
	case unstable.Integer, unstable.Float:
		if !number {
			return fmt.Sprintf("the number %s, where it takes a text", k.text)
		}
	case unstable.Bool:
		if one.value != "" {
			return fmt.Sprintf("%s, where it takes %s", k.text, taken(number))
		}
	case unstable.Array:
		switch lists := strings.HasSuffix(one.value, ",..."); {
		case !lists:
			return "a list, where it takes " + taken(number)
		case !k.list:
			return "a list that holds other things than texts"
		}
	default:
		return "a date, where it takes " + taken(number)
	}
	return ""
}

func taken(number bool) string {
	if number {
		return "a number or a text"
	}
	return "a text"
}

// example is a line with the setting.
func example(one *setting) string {
	value := `"` + one.value + `"`
	switch {
	case one.flag == "env-file":
		value = `".env" or [".env", "other.env"]`
	case one.flag == "listen":
		value = `":3000" or [":3000", "unix:/run/app.sock"]`
	case one.value == "N":
		value = "3"
	case one.value == "TIME":
		value = `"10s"`
	case one.value == "":
		value = "true"
	case len(one.words) > 0:
		value = `"` + one.words[0] + `"`
	}
	return one.flag + " = " + value
}

func settingNamed(flag string) *setting {
	for _, one := range table() {
		if one.flag == flag {
			return &one
		}
	}
	return nil
}

// settingNames are all that may stand at the file's top.
func settingNames() []string {
	var names []string
	for _, one := range table() {
		if one.flag != "config" {
			names = append(names, one.flag)
		}
	}
	return names
}

// suggestSetting is the remedy for an unknown one.
func suggestSetting(name string, names []string) string {
	for _, one := range table() {
		if slices.Contains(one.env, name) {
			return "did you mean " + one.flag + "? (a file has the names of the flags)"
		}
	}
	if near := procfile.Suggest(name, names); near != "" {
		return "did you mean " + near + "?"
	}
	if slices.Contains(names, "budget") {
		return "the settings are the long flags of launcher run, without the --"
	}
	return "a process type takes " + strings.Join(names, ", ")
}
