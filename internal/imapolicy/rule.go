package imapolicy

// An Action is what IMA does with a file for which a rule is the first to fit.
type Action string

// The actions. Each of the first four has one that lets files off.
const (
	Measure      Action = "measure"
	DontMeasure  Action = "dont_measure"
	Appraise     Action = "appraise"
	DontAppraise Action = "dont_appraise"
	Audit        Action = "audit"
	DontAudit    Action = "dont_audit"
	Hash         Action = "hash"
	DontHash     Action = "dont_hash"
)

var actions = map[Action]Version{
	Measure: {}, DontMeasure: {}, Appraise: {}, DontAppraise: {}, Audit: {},
	Hash: {4, 16}, DontHash: {4, 16}, DontAudit: {6, 19},
}

// A Rule is one line of a policy.
type Rule struct {
	Line   int
	Text   string // without comment
	Action Action
	Func   string // hook, under its newer name; empty for any

	mask     string // MAY_READ and so on; empty for any
	fsmagic  uint64
	fsname   string
	fsuuid   string
	subtype  bool
	ids      map[string]id // conditions on users and groups by the keyword that they exclude
	labels   map[string]bool
	signed   bool // appraise_type asks for a signature
	modsig   bool // which may be appended
	verity   bool
	has      option
	template string
}

// An id is a condition on a user or group: equal, less or greater.
type id struct {
	keyword  string // uid and euid are different questions, but there is room for one
	operator byte
	value    uint32
}

// An option is a bit for each kind of condition or option that a rule can have, in
// the groups that hooks take or refuse together.
type option uint32

const (
	hasFunc option = 1 << iota
	hasMask
	hasFilesystem // fsmagic, fsuuid, fsname
	hasUser       // uid, euid
	hasGroup      // gid, egid
	hasOwner      // fowner, fgroup
	hasLabel      // obj_*, subj_*
	hasPCR
	hasSignature // appraise_type
	hasModsig
	hasBlacklist // appraise_flag
	hasAlgorithms
	hasDirectIO
	hasVerity
	hasKeyrings
	hasData // label=
)
