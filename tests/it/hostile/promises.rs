//! One test for each sentence of the README's "What it never does".
