"""How S3 speaks: requests, answers, bodies, and the rules that headers and addresses state."""
