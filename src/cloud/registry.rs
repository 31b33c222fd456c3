//! The only file that names the clouds, one line each.
