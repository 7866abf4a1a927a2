package imapolicy

// A keyword is a condition or option of rules.
type keyword struct {
	operators string  // which may follow; empty for a word that stands alone
	since     Version // of the kernel
	compares  Version // since when it can be < and >
	idle      Version // since when it goes with everything and says nothing; zero for never
	has       option
	only      Action // the one action that it goes with; empty for any
	config    string // option that the kernel must be built with
	set       func(k *Kernel, r *Rule, name string, operator byte, value string) error
}

const (
	equals    = "="
	comparing = "=<>"
)

var keywords = map[string]keyword{
	"func": {operators: equals, has: hasFunc, set: setFunc},
	"mask": {operators: equals, has: hasMask, set: setMask},

	"fsmagic":    {operators: equals, has: hasFilesystem, set: setFSMagic},
	"fsuuid":     {operators: equals, has: hasFilesystem, set: setFSUUID, since: Version{3, 10}},
	"fsname":     {operators: equals, has: hasFilesystem, set: setFSName, since: Version{4, 17}},
	"fs_subtype": {operators: equals, has: hasFilesystem, set: setFSSubtype, since: Version{6, 19}},

	"uid":    {operators: comparing, has: hasUser, set: setID("user"), compares: Version{4, 11}},
	"euid":   {operators: comparing, has: hasUser, set: setID("user"), since: Version{4, 1}, compares: Version{4, 11}},
	"gid":    {operators: comparing, has: hasGroup, set: setID("group"), since: Version{5, 16}},
	"egid":   {operators: comparing, has: hasGroup, set: setID("group"), since: Version{5, 16}},
	"fowner": {operators: comparing, has: hasOwner, set: setID("fowner"), compares: Version{4, 11}},
	"fgroup": {operators: comparing, has: hasOwner, set: setID("fgroup"), since: Version{5, 16}},

	"obj_user":  {operators: equals, has: hasLabel, set: setLabel, config: "IMA_LSM_RULES"},
	"obj_role":  {operators: equals, has: hasLabel, set: setLabel, config: "IMA_LSM_RULES"},
	"obj_type":  {operators: equals, has: hasLabel, set: setLabel, config: "IMA_LSM_RULES"},
	"subj_user": {operators: equals, has: hasLabel, set: setLabel, config: "IMA_LSM_RULES"},
	"subj_role": {operators: equals, has: hasLabel, set: setLabel, config: "IMA_LSM_RULES"},
	"subj_type": {operators: equals, has: hasLabel, set: setLabel, config: "IMA_LSM_RULES"},

	"pcr":      {operators: equals, has: hasPCR, only: Measure, set: setPCR, since: Version{4, 8}},
	"template": {operators: equals, only: Measure, set: setTemplate, since: Version{5, 3}},
	"keyrings": {operators: equals, has: hasKeyrings, set: setNames, since: Version{5, 6}, config: "IMA_MEASURE_ASYMMETRIC_KEYS"},
	"label":    {operators: equals, has: hasData, set: setNames, since: Version{5, 12}},

	"appraise_type":  {operators: equals, has: hasSignature, only: Appraise, set: setAppraiseType},
	"appraise_flag":  {operators: equals, has: hasBlacklist, only: Appraise, set: setAppraiseFlag, since: Version{5, 5}, idle: Version{6, 7}},
	"appraise_algos": {operators: equals, has: hasAlgorithms, only: Appraise, set: setAlgorithms, since: Version{5, 15}},
	"digest_type":    {operators: equals, has: hasVerity, set: setDigestType, since: Version{5, 19}},

	"permit_directio": {has: hasDirectIO, set: setNothing, since: Version{3, 16}},
}

// idles reports whether a kernel takes the word and does nothing with it.
func (kw *keyword) idles(k *Kernel) bool {
	return kw.idle != Version{} && !k.Version.before(kw.idle)
}
