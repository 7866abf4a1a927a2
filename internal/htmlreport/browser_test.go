package htmlreport_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"digestlists/attest"
	"digestlists/internal/htmlreport"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "`FOLDER` in which to keep the screenshots")

// openPage writes the page of a report and opens it in Debian's Chromium.
func openPage(t *testing.T, r *attest.Report) context.Context {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	var page bytes.Buffer
	if err := htmlreport.Write(&page, r, maker); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, page.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	do(t, ctx, chromedp.EmulateViewport(1200, 900), chromedp.Navigate("file://"+path))
	return ctx
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// ask returns the value of an expression in the page.
func ask[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// choose takes an option of a list, as somebody who uses the page does.
const choose = `(id, value) => { const e = document.getElementById(id); e.value = value; e.dispatchEvent(new Event("input", {bubbles: true})); return e.value }`

const paths = `[...document.querySelectorAll("#rows .path")].map((e) => e.firstChild.textContent)`

func expect[T comparable](t *testing.T, ctx context.Context, expression string, want T) {
	t.Helper()
	if got := ask[T](t, ctx, expression); got != want {
		t.Errorf("%s: got %v, want %v", expression, got, want)
	}
}

func TestFiltersAndSearch(t *testing.T) {
	ctx := openPage(t, machineReport(t))
	expect(t, ctx, `document.querySelector("h1").textContent`, "Not trusted")
	expect(t, ctx, `document.querySelectorAll(".cards li").length`, 4)
	expect(t, ctx, `document.querySelectorAll("#rows tr").length`, 50)
	expect(t, ctx, `document.getElementById("shown").textContent`, "Showing 1 to 50 of 50 entries")

	expect(t, ctx, "("+choose+`)("class", "unknown")`, "unknown")
	expect(t, ctx, paths+`.join()`, "/init,/opt/p1/busybox,/opt/p2/busybox,/opt/p3/busybox")
	do(t, ctx, chromedp.SendKeys("#search", "C5EFFA busybox"))
	expect(t, ctx, paths+`.join()`, "/opt/p2/busybox")
	expect(t, ctx, `document.getElementById("shown").textContent`, "Showing 1 to 1 of 1 entries; 50 without filters")
	do(t, ctx, chromedp.SendKeys("#search", " nowhere"))
	expect(t, ctx, paths+`.length`, 0)

	expect(t, ctx, "("+choose+`)("search", "")`, "")
	expect(t, ctx, "("+choose+`)("class", "known")`, "known")
	expect(t, ctx, "("+choose+`)("pcr", "11")`, "11")
	expect(t, ctx, paths+`.length`, 0)
	expect(t, ctx, "("+choose+`)("attested", "no")`, "no")
	expect(t, ctx, "("+choose+`)("pcr", "")`, "")
	expect(t, ctx, paths+`.length`, 0)
	expect(t, ctx, "("+choose+`)("attested", "yes")`, "yes")
	expect(t, ctx, paths+`.length`, 43)
}

// A page may load nothing, and the policy says so to the browser.
func TestNothingIsLoaded(t *testing.T) {
	ctx := openPage(t, machineReport(t))
	expect(t, ctx, `performance.getEntriesByType("resource").length`, 0)
	refused := ask[string](t, ctx, `new Promise((done) => {
		document.addEventListener("securitypolicyviolation", (e) => done(e.effectiveDirective));
		const script = document.createElement("script");
		script.textContent = "window.ran = true";
		document.body.append(script);
	})`)
	if refused != "script-src-elem" {
		t.Errorf("the policy refused %q", refused)
	}
	expect(t, ctx, `window.ran === undefined`, true)
}

// Whoever names files on the machine cannot change what the page says or does.
func TestHostileNames(t *testing.T) {
	names := []string{
		`</script><script>window.ran = true</script>`, `<img src=x onerror="window.ran=true">`, `{{.}}`, `"'&amp;`, `<!--`, `</ul></section>`,
	}
	r := &attest.Report{Verdict: attest.NotTrusted, Reasons: names, Entries: len(names), Notes: names}
	for i, name := range names {
		r.Findings = append(r.Findings, attest.Finding{
			Entry: i + 1, PCRs: []int{10}, Class: attest.Unknown, Path: name, Reason: name, Attested: true, Near: &attest.Near{List: name},
		})
	}
	r.Findings = append(r.Findings, attest.Finding{Entry: 7, PCRs: []int{10}, Class: attest.Unknown, Path: "/bin/\u202egnp\n\x1b[2J\xff"})
	ctx := openPage(t, r)
	for i, name := range names {
		expect(t, ctx, fmt.Sprintf(`document.querySelectorAll("#rows .path")[%d].textContent`, i), name)
		expect(t, ctx, fmt.Sprintf(`document.querySelectorAll(".cards .path")[%d].textContent`, i), name)
		expect(t, ctx, fmt.Sprintf(`document.querySelectorAll("ul.reasons li")[%d].textContent`, i), name)
	}
	expect(t, ctx, `document.querySelectorAll("#rows .path")[6].textContent`, `"/bin/\u202egnp\n\x1b[2J\xff"`)
	expect(t, ctx, `document.querySelectorAll("img").length`, 0)
	expect(t, ctx, `window.ran === undefined`, true)
}

func TestLongList(t *testing.T) {
	const entries = 100_000
	r := &attest.Report{Verdict: attest.Trusted, Entries: entries, Attested: entries}
	for i := range entries {
		r.Findings = append(r.Findings, attest.Finding{
			Entry: i + 1, PCRs: []int{10}, Class: attest.Known, Path: fmt.Sprintf("/usr/bin/program-%06d", i), Attested: true,
			Algorithm: "sha256", Digest: bytes.Repeat([]byte{byte(i)}, 32), Known: &attest.Origin{List: "0-file_list-rpm-base", Type: "file"},
		})
	}
	ctx := openPage(t, r)
	expect(t, ctx, `document.querySelectorAll("#rows tr").length`, 50)
	expect(t, ctx, `document.getElementById("page").textContent`, "Page 1 of 2000")
	do(t, ctx, chromedp.Click("#next"))
	expect(t, ctx, paths+`[0]`, "/usr/bin/program-000050")
	do(t, ctx, chromedp.SendKeys("#search", "gram-09999"))
	expect(t, ctx, paths+`.length`, 10)
	expect(t, ctx, `document.getElementById("pager").hidden`, true)
}

// contrasts is the lowest ratio of text to what is behind it (WCAG 2.2, 1.4.3), and where.
const contrasts = `(() => {
	const rgb = (text) => { const n = text.match(/[\d.]+/g).map(Number); return n[3] === 0 ? null : n.slice(0, 3) };
	const light = (c) => { const [r, g, b] = c.map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };
	const behind = (e) => e ? rgb(getComputedStyle(e).backgroundColor) || behind(e.parentElement) : [255, 255, 255];
	let lowest = [99, ""];
	for (const e of document.querySelectorAll("body *")) {
		if (!e.offsetParent || !e.matches("input, select, button") && ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
		if (e.disabled) continue;
		const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))];
		const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
		if (ratio < lowest[0]) lowest = [ratio, e.outerHTML.slice(0, 80)];
	}
	return {ratio: lowest[0], where: lowest[1]};
})()`

// The page can be read in both colour schemes and on paper.
func TestAppearance(t *testing.T) {
	ctx := openPage(t, machineReport(t))
	expect(t, ctx, `[...document.querySelectorAll("input, select")].every((e) => e.labels.length === 1)`, true)
	expect(t, ctx, `document.documentElement.scrollWidth <= innerWidth`, true)
	for _, look := range []struct{ name, media, scheme string }{{"light", "screen", "light"}, {"dark", "screen", "dark"}, {"print", "print", "light"}} {
		setMedia(t, ctx, look.media, look.scheme)
		lowest := ask[struct {
			Ratio float64
			Where string
		}](t, ctx, contrasts)
		if lowest.Ratio < 4.5 {
			t.Errorf("%s: contrast %.2f of %s", look.name, lowest.Ratio, lowest.Where)
		}
		picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		if err != nil {
			t.Fatal(err)
		}
		config, err := png.DecodeConfig(bytes.NewReader(picture))
		if err != nil || config.Width != 1200 || config.Height < 2000 {
			t.Errorf("%s: a picture of %dx%d: %v", look.name, config.Width, config.Height, err)
		}
		keep(t, look.name+".png", picture)
	}
}

func setMedia(t *testing.T, ctx context.Context, media, scheme string) {
	t.Helper()
	do(t, ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Media: media, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}

// On paper there is nothing folded, and everything is as before afterwards.
func TestPrint(t *testing.T) {
	ctx := openPage(t, machineReport(t))
	const open = `[...document.querySelectorAll("details")].filter((d) => d.open).length`
	expect(t, ctx, `addEventListener("beforeprint", () => { window.printed = `+open+` }) === undefined`, true)
	pdf, err := chromedp.Run(ctx, chromedp.PrintToPDF())
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Fatalf("got %.20q, %v", pdf, err)
	}
	expect(t, ctx, `window.printed`, 2)
	expect(t, ctx, open, 0)
	keep(t, "print.pdf", pdf)
}

// Audited files stand beside the entries; names of users and programs are text as well. The
// page fits the screen of a telephone.
func TestAudited(t *testing.T) {
	r := machineReport(t)
	uid := uint32(1000)
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	r.Audit = &attest.AuditReport{Records: 8, Counts: map[attest.Class]int{attest.Known: 1, attest.Unknown: 7}, Findings: []attest.AuditFinding{
		{Class: attest.Unknown, Path: "/opt/tool", Algorithm: "sha256", Digest: bytes.Repeat([]byte{0xab}, 32), Reason: "no reference has this digest", UID: &uid, Command: "<b>sh", PID: 7, First: at, Last: at.Add(time.Hour), Records: 7},
		{Class: attest.Known, Path: "/opt/known", Algorithm: "sha256", Digest: bytes.Repeat([]byte{0xcd}, 32), Known: &attest.Origin{List: "0-file_list-rpm-base"}, UID: &uid, LoginUID: &uid, Command: "sh", PID: 8, First: at, Last: at, Records: 1},
	}}
	ctx := openPage(t, r)
	expect(t, ctx, `document.querySelectorAll(".cards li").length`, 5)
	expect(t, ctx, `document.querySelector(".cards li:last-child .where").textContent`,
		"used by uid 1000 with <b>sh, pid 7 first, 7 times from 2026-03-04T05:06:07Z to 2026-03-04T06:06:07Z")
	do(t, ctx, chromedp.SendKeys("#search", "audit"))
	expect(t, ctx, paths+`.join()`, "/opt/tool,/opt/known")
	do(t, ctx, chromedp.EmulateViewport(360, 700))
	expect(t, ctx, `document.documentElement.scrollWidth <= innerWidth`, true)
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	keep(t, "telephone.png", picture)
}

func keep(t *testing.T, name string, content []byte) {
	t.Helper()
	if *screenshots == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name), content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// All of it can be used without a mouse: a letter chooses a class, and focus can be seen.
func TestKeyboard(t *testing.T) {
	ctx := openPage(t, machineReport(t))
	do(t, ctx, chromedp.SendKeys("#search", "busybox\t"))
	expect(t, ctx, `document.activeElement.id`, "class")
	do(t, ctx, chromedp.KeyEvent("u"))
	expect(t, ctx, paths+`.length`, 3)
	expect(t, ctx, `getComputedStyle(document.activeElement).outlineStyle`, "solid")
}
