package retrievaltest_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	rt "example.com/postbag/retrieval/retrievaltest"
)

// suites runs each suite with an implementation that has a bug, and with a
// sound one if bug is "". A bug has the name of the case that it is to fail.
var suites = map[string]func(t *testing.T, bug string){
	"sink": func(t *testing.T, bug string) {
		rt.TestSink(t, func(*testing.T) rt.SinkUnderTest { return newMemorySink(bug).underTest() })
	},
	"store": func(t *testing.T, bug string) {
		rt.TestStore(t, func(*testing.T) rt.StoreUnderTest { return newMemoryStore(bug).underTest() })
	},
	"retriever": func(t *testing.T, bug string) {
		rt.TestRetriever(t, func(t *testing.T) rt.Mailbox { return brokenMailbox(t, bug) })
	},
}

const (
	bugsEnv = "RETRIEVALTEST_BUGS"
	rules   = "the rule: "
)

// TestEachCaseCanFail shows of each case of each suite that there is an
// implementation which fails that case and no other, and that the broken rule
// is printed. The suites are run in another process, where they may fail.
func TestEachCaseCanFail(t *testing.T) {
	for suite := range suites {
		t.Run(suite, func(t *testing.T) {
			cases, failures := runBroken(t, suite, "")
			if len(failures) > 0 {
				t.Fatalf("the sound implementation fails %q", failures)
			}
			names := slices.Sorted(cases)
			_, failures = runBroken(t, suite, names...)
			for _, name := range names {
				t.Logf("%-20s %s", name, failures[name][name])
				if rule, fails := failures[name][name]; !fails {
					t.Errorf("%s: no broken implementation fails it", name)
				} else if rule == "" {
					t.Errorf("%s: fails without a rule", name)
				}
				for other := range failures[name] {
					if other != name {
						t.Errorf("the implementation that is to fail %s also fails %s", name, other)
					}
				}
			}
		})
	}
}

// runBroken runs a suite with each of the bugs. It returns the cases, and for
// each bug those that failed with the rules that they printed.
func runBroken(t *testing.T, suite string, bugs ...string) (cases func(yield func(string) bool), failures map[string]map[string]string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBroken$", "-test.v", "-test.short", "-test.timeout=3m")
	cmd.Env = append(os.Environ(), bugsEnv+"="+suite+":"+strings.Join(bugs, ","))
	out, _ := cmd.CombinedOutput() // it fails, as it should
	failures = make(map[string]map[string]string)
	printed := make(map[string]string)
	seen := make(map[string]bool)
	running := ""
	for line := range bytes.Lines(out) {
		text := strings.TrimSpace(string(line))
		if mark, name, ok := strings.Cut(text, "   "); ok && (mark == "=== RUN" || mark == "=== CONT" || mark == "=== NAME") {
			running = strings.TrimSpace(name)
		}
		if rule, ok := strings.CutPrefix(text, rules); ok {
			printed[running] = rule
		}
		result, ok := strings.CutPrefix(text, "--- ")
		if !ok {
			continue
		}
		verdict, name, _ := strings.Cut(result, ": ")
		name, _, _ = strings.Cut(name, " ")
		parts := strings.Split(name, "/")
		if len(parts) != 3 { // TestBroken/bug/case
			continue
		}
		seen[parts[2]] = true
		if verdict == "FAIL" {
			bug := strings.TrimPrefix(parts[1], "bug_")
			if failures[bug] == nil {
				failures[bug] = make(map[string]string)
			}
			failures[bug][parts[2]] = printed[name]
		}
	}
	if len(seen) == 0 || bytes.Contains(out, []byte("panic: ")) {
		t.Fatalf("the suite did not run to its end:\n…%s", out[max(0, len(out)-4000):])
	}
	return func(yield func(string) bool) {
		for name := range seen {
			if !yield(name) {
				return
			}
		}
	}, failures
}

// TestBroken is what runBroken runs.
func TestBroken(t *testing.T) {
	suite, bugs, ok := strings.Cut(os.Getenv(bugsEnv), ":")
	if !ok {
		t.Skip("it is run by TestEachCaseCanFail, and fails there")
	}
	for bug := range strings.SplitSeq(bugs, ",") {
		run := suites[suite]
		if run == nil {
			run = composedSuites[suite]
		}
		t.Run(fmt.Sprintf("bug %s", bug), func(t *testing.T) { run(t, bug) })
	}
}
