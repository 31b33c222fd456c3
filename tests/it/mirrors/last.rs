//! The last mirror is taken out of its file.

use std::fs;

use crate::cli::site::Site;

#[test]
fn what_is_left_of_the_last_mirror_is_told_at_every_run_until_it_is_gone() {
    let site = Site::with_mirrors();
    site.run(&[]).ends_with(12);
    let file = site.root().join("mirrors/debian.yaml");
    let text = fs::read_to_string(&file).expect("the example's mirror");
    fs::remove_file(&file).expect("the example's mirror");
    for _ in 0..2 {
        let told = site.run(&[]).ends_with(11).out;
        assert!(told.contains("forgotten-mirror"), "{told}");
        assert!(told.contains("retired: true"), "{told}");
    }
    fs::write(&file, text.replace("    ceiling:", "    retired: true\n    ceiling:"))
        .expect("a file");
    let told = site.run(&["--yes"]).out;
    assert!(!told.contains("forgotten-mirror"), "{told}");
    assert!(told.contains("is retired"), "{told}");
}

#[test]
fn organisations_without_mirrors_pay_nothing_for_them() {
    let site = Site::new();
    let told = site.run(&["-vvv"]).ends_with(0);
    assert!(!told.err.contains("ListResources"), "{}", told.err);
    assert!(told.err.contains("ListUsers"), "{}", told.err);
}
