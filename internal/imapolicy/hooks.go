package imapolicy

// A hook is a place of the kernel where IMA is asked, the value of func=.
type hook struct {
	since     Version
	extension bool     // only with digest lists
	actions   []Action // nil for any
	takes     option
	must      option
}

// What rules of one kind of hook may have.
const (
	ofFiles = hasFunc | hasMask | hasFilesystem | hasUser | hasGroup | hasOwner | hasLabel | hasPCR |
		hasSignature | hasAlgorithms | hasDirectIO
	ofVerity = ofFiles | hasVerity
	ofModsig = ofFiles | hasModsig | hasBlacklist
	ofBuffer = hasFunc | hasFilesystem | hasUser | hasGroup | hasOwner | hasLabel | hasPCR
	ofData   = hasFunc | hasUser | hasGroup | hasPCR
)

var measuring = []Action{Measure, DontMeasure}

// anyHook is what rules without func= may have.
var anyHook = hook{takes: ofVerity}

var hooks = map[string]hook{
	"FILE_CHECK":            {takes: ofVerity},
	"MMAP_CHECK":            {takes: ofVerity},
	"BPRM_CHECK":            {takes: ofVerity},
	"CREDS_CHECK":           {takes: ofVerity, since: Version{4, 17}},
	"MODULE_CHECK":          {takes: ofModsig},
	"FIRMWARE_CHECK":        {takes: ofVerity},
	"KEXEC_KERNEL_CHECK":    {takes: ofModsig, since: Version{4, 6}},
	"KEXEC_INITRAMFS_CHECK": {takes: ofModsig, since: Version{4, 6}},
	"POLICY_CHECK":          {takes: ofVerity, since: Version{4, 6}},
	"KEXEC_CMDLINE":         {takes: ofBuffer, since: Version{5, 3}, actions: measuring},
	"KEY_CHECK":             {takes: ofData | hasKeyrings, since: Version{5, 6}, actions: measuring},
	"CRITICAL_DATA":         {takes: ofData | hasData, since: Version{5, 12}, actions: measuring},
	"SETXATTR_CHECK":        {takes: hasFunc | hasAlgorithms, must: hasAlgorithms, since: Version{5, 15}, actions: []Action{Appraise}},
	"MMAP_CHECK_REQPROT":    {takes: ofVerity, since: Version{6, 3}},
	"DIGEST_LIST_CHECK":     {takes: ofVerity, extension: true},
}

// aliases are older names.
var aliases = map[string]string{"PATH_CHECK": "FILE_CHECK", "FILE_MMAP": "MMAP_CHECK"}
