"""What a study would compute and what it has computed: tables, a manifest of every file, and a research object."""
