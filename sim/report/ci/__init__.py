"""What CI systems and pull requests show: JUnit XML and Markdown."""
