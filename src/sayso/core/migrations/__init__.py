"""The schema's history: numbered steps of plain SQL, run at every start under a lock."""
