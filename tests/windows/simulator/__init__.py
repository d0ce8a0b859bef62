"""A stand-in for a Windows host: it answers Ansible's psrp connection and remembers what it was told."""
