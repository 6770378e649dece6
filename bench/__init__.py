"""Speed and cost against named peers in the same run; figures and what they mean: docs/benchmarks.md."""
