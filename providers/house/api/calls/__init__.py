"""The calls of the API: fields, bodies, answers, and what each call does. Imported by the first call."""
