"""The control database: its tables and its engine. Exported rows take another way (`app.rows`)."""
