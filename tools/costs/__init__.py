"""The figures of docs/operations/spending.md and README.md, from plans, templates and a file of list prices."""
