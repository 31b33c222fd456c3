//! The conformance suite on the embedded cloud, in memory and in a file.

use reconcile::cloud::conformance;
use reconcile::cloud::memory::MemoryVendor;

use super::fixture::MemoryFixture;

async fn in_memory() -> MemoryFixture {
    MemoryFixture::new(MemoryVendor::in_memory())
}

reconcile::conformance_tests!(
    #[tokio::test(start_paused = true)]
    in_memory().await
);

#[tokio::test(start_paused = true)]
async fn every_case_is_tried_that_this_cloud_knows() {
    // It has nothing to attach to users, groups and roles.
    let attachments = [
        "something_is_attached_to_a_role_replaced_and_detached",
        "what_was_attached_by_hand_is_seen_and_detached",
    ];
    assert_eq!(conformance::not_tried(in_memory).await, attachments);
}

#[tokio::test(start_paused = true)]
async fn a_cloud_in_a_file_passes_too_and_reads_the_same_when_opened_again() {
    for case in conformance::CASES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/memory.jsonl");
        let fixture = MemoryFixture::new(MemoryVendor::open(&path).unwrap());
        let _verdict = case.run(&fixture).await;
        let again = MemoryVendor::open(&path).unwrap();
        let dump = again.world().dump().unwrap();
        assert_eq!(dump, fixture.world.dump().unwrap(), "{}", case.name);
    }
}
