//! The executor: carries out an approved plan.
