//! Attacks, as a hostile contributor, server or machine would try them: one named test for each line
//! of the threat model. A test here fails when the attack works.

mod directory;
mod logs;
mod operator;
mod promises;
mod record;
mod review;
mod sentences;
mod text;
mod tree;
