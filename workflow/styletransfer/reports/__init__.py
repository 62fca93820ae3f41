"""What people look at: figures, the explorer, and a study at work. `templates` holds the pages."""
