"""The open portal: dataset type, publish action, pages, maps, theme and translations."""
