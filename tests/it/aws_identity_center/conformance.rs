//! The conformance suite on Identity Center.

use reconcile::cloud::conformance;

use super::fixture::CenterFixture;

async fn made() -> CenterFixture {
    CenterFixture::new()
}

reconcile::conformance_tests!(
    #[tokio::test]
    made().await
);

#[tokio::test]
async fn every_case_is_tried_that_this_cloud_knows() {
    let not_tried = [
        // Users of Identity Center have no keys.
        "a_key_is_issued_and_counts_as_handed_over_once_noted",
        "of_two_keys_both_stay_noted",
        "keys_are_issued_to_nobody_else",
        "a_lost_reply_leaves_a_key_that_counts_as_lost",
        // The peer shows at once what was written.
        "what_is_not_yet_visible_becomes_visible",
    ];
    assert_eq!(conformance::not_tried(made).await, not_tried);
}
