//! The conformance suite on AWS. One server for many cases, each in accounts of its own: starting
//! one takes longer than most cases.

use reconcile::cloud::conformance::{CASES, Verdict};

use super::fixture::AwsFixture;
use crate::peers::moto::Moto;

/// Cases that need what moto or IAM does not have; see `fixture` for why.
const NOT_TRIED: [&str; 2] =
    ["a_user_disabled_by_hand_reads_as_disabled", "profiles_come_back_as_they_were"];

/// moto tells names apart by case, and takes any; IAM does not (IAM User Guide, "Friendly names and
/// paths").
const LIED_ABOUT: [&str; 3] = [
    "a_forbidden_name_is_invalid",
    "a_taken_name_is_taken_in_any_case",
    "names_are_found_as_the_vendor_compares_them",
];

async fn part(of: usize, number: usize) {
    let moto = Moto::start();
    for (_, case) in CASES.iter().enumerate().filter(|(position, _)| position % of == number) {
        if LIED_ABOUT.contains(&case.name) {
            continue;
        }
        let fixture = AwsFixture::new(&moto);
        let verdict = case.run(&fixture).await;
        let expected = NOT_TRIED.contains(&case.name);
        assert_eq!(matches!(verdict, Verdict::NotTried(_)), expected, "{}: {verdict:?}", case.name);
    }
}

#[tokio::test]
async fn conformance_first_part() {
    part(3, 0).await;
}

#[tokio::test]
async fn conformance_second_part() {
    part(3, 1).await;
}

#[tokio::test]
async fn conformance_third_part() {
    part(3, 2).await;
}
