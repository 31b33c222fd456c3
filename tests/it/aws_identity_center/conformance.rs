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
async fn every_case_but_one_is_tried() {
    // The peer shows at once what was written.
    assert_eq!(conformance::not_tried(made).await, ["what_is_not_yet_visible_becomes_visible"]);
}
