package launcher

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// allowed are the files in which a name may stand that starts, waits for or ignores
// what the loop alone starts, waits for and hears of; of the others none.
var allowed = map[string][]string{
	"os/exec":              nil, // P2: its Wait is a second waiter
	"os.StartProcess":      nil,
	"os.FindProcess":       nil,
	"godotenv.Exec":        nil,
	"pty.Start":            nil,
	"pty.StartWithSize":    nil,
	"syscall.StartProcess": nil,
	"syscall.ForkExec":     {"launcher/start_unix.go"},
	"unix.Wait4":           {"launcher/kernel_linux.go", "launcher/kernel_other.go"},
	"syscall.Wait4":        nil,
	"unix.Waitid":          {"launcher/kernel_linux.go"},
	"unix.WALL":            nil, // P33
	"syscall.WALL":         nil,
	"signal.Ignore":        nil, // P6, P26: children inherit it
	"signal.Reset":         nil,
	"unix.Kill":            {"launcher/kernel_unix.go", "launcher/terminal_unix.go", "internal/control/place.go"}, // P16: behind the check of the pid
	"syscall.Kill":         nil,
}

// TestOneOwner: only the loop, behind its Kernel, starts, waits and signals.
func TestOneOwner(t *testing.T) {
	seen := 0
	for _, dir := range []string{"cmd", "launcher", "internal", "preboot", "procfile"} {
		err := filepath.WalkDir("../"+dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			seen++
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				name := ""
				switch n := n.(type) {
				case *ast.ImportSpec:
					name = strings.Trim(n.Path.Value, `"`)
				case *ast.SelectorExpr:
					if of, ok := n.X.(*ast.Ident); ok {
						name = of.Name + "." + n.Sel.Name
					}
				}
				if files, ours := allowed[name]; ours && !slices.Contains(files, strings.TrimPrefix(path, "../")) {
					t.Errorf("%s: %s is for the loop's Kernel", path, name)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 50 {
		t.Errorf("only %d files were looked at", seen)
	}
}

// TestEndedForgets: nothing of a process that has ended can reach the next one
// (P12) but what belongs to the slot, or tells of the past.
func TestEndedForgets(t *testing.T) {
	keeps := []string{
		"spec", "name", "state", "since", "started", "tries", "memory", "restarts", "done", "startAt", "old", "gone", "line",
		"upAt", // of Starting alone, and set with it
	}
	var p process
	v := reflect.ValueOf(&p).Elem()
	for i := range v.NumField() {
		fill(v.Field(i))
	}
	p.ended()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if kept := !v.Field(i).IsZero(); kept != slices.Contains(keeps, name) {
			t.Errorf("%s is kept: %v", name, kept)
		}
	}
}

// fill makes a field, exported or not, another than zero.
func fill(v reflect.Value) {
	v = reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(1)
	case reflect.Uint64, reflect.Uint8:
		v.SetUint(1)
	case reflect.String:
		v.SetString("x")
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Now()))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	}
}
