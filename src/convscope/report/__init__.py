"""The study's report: its content as plain data, read from reports/, and two renderings."""
