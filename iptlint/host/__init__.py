"""What a live host, or a root file system, has: running rules, saved rules, boot services.

``collect``, ``remote`` and ``archive`` gather, read-only; ``examine`` makes sense of it.
"""
