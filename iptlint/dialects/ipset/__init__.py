"""What `ipset save` prints: lines of create and add, and what they leave in the sets."""
