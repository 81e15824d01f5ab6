package suite

// Plan is how many results Run answers.
func Plan(cases []Case, opts Options) int {
	return len((&runner{opts: &opts}).jobs(cases))
}
