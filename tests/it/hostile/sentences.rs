//! Which tests attack which sentence of the README's "What it never does" and "Threat model".
//!
//! Whoever changes a sentence there changes a promise: its entry here is to be changed too, and with
//! it the tests.

use std::fs;
use std::path::Path;

/// What stands behind a sentence.
#[derive(Clone, Copy)]
enum Proof {
    /// Tests that attack it, as `FILE::TEST` below `tests/it`.
    Tests(&'static [&'static str]),
    /// It promises nothing that an attack could break, and why.
    Describes(&'static str),
}

use Proof::{Describes, Tests};

const SENTENCES: &[(&str, Proof)] = &[
    (
        "Set, store or send a password, or create a credential for a person.",
        Tests(&[
            "hostile/promises.rs::nobody_gets_a_password_or_a_key",
            "aws/never.rs::no_person_gets_a_password_a_credential_or_a_right_of_their_own",
        ]),
    ),
    (
        "Attach a role to a single user: roles are attached to groups.",
        Tests(&[
            "hostile/promises.rs::a_role_for_a_single_user_cannot_be_written",
            "aws/never.rs::no_person_gets_a_password_a_credential_or_a_right_of_their_own",
        ]),
    ),
    (
        "Remove something because it could not be read, or because a name looks like ours.",
        Tests(&[
            "hostile/promises.rs::what_only_looks_like_ours_stays",
            "aws/story.rs::foreign_look_alikes_survive",
            "engine/properties.rs::nothing_is_removed_that_was_not_proven_and_additions_go_on",
            "cli/absence.rs::an_attribute_that_nobody_shows_takes_nothing_away",
            "cli/codes.rs::a_directory_that_is_not_there_removes_nobody",
        ]),
    ),
    (
        "Touch what does not carry its mark.",
        Tests(&[
            "hostile/promises.rs::what_only_looks_like_ours_stays",
            "aws/story.rs::foreign_look_alikes_survive",
        ]),
    ),
    (
        "Re-enable a user that somebody else disabled, also if the person leaves and comes back.",
        Tests(&[
            "hostile/promises.rs::who_was_disabled_by_hand_stays_so",
            "cli/by_hand.rs::who_was_disabled_by_hand_leaves_and_returns_disabled",
            "aws_identity_center/people.rs::whoever_is_disabled_by_hand_while_suspended_comes_back_disabled",
            "aws/mistakes.rs::what_only_forbids_is_left_where_somebody_put_it_until_the_user_is_deleted",
            "aws/mistakes.rs::what_somebody_switched_off_does_not_come_back_with_the_person",
        ]),
    ),
    (
        "Send anything to, or connect to, a server that the operator's file does not list (the \
         vendors' own are built in), or a secret to another server than it is for.",
        Tests(&[
            "hostile/promises.rs::nobody_else_hears_of_a_run",
            "hostile/operator/branch.rs::a_server_that_the_operator_did_not_name_is_not_even_connected_to",
            "hostile/operator/branch.rs::a_branchs_socket_does_not_hear_who_we_are",
            "hostile/operator/branch.rs::a_secret_is_not_sent_to_another_server_than_it_is_for",
            "hostile/operator/branch.rs::metadata_of_a_log_in_service_are_not_fetched_from_the_branchs_server",
            "hostile/operator/branch.rs::the_name_of_a_region_leads_to_no_other_host",
        ]),
    ),
    (
        "Run a command, or read or write a file outside the inventory's folders, on account of \
         anything in the repository.",
        Tests(&[
            "hostile/operator/branch.rs::a_command_for_a_password_is_not_run",
            "hostile/operator/branch.rs::a_sink_of_a_branch_overwrites_nothing_and_runs_nothing",
            "hostile/operator/branch.rs::the_first_line_of_a_file_is_not_sent_to_the_branchs_server",
            "hostile/operator/state.rs::what_the_surroundings_say_to_git_does_not_reach_it",
            "hostile/tree/links.rs::paths_that_lead_out",
            "hostile/tree/links.rs::a_file_that_is_exchanged_while_it_is_opened",
            "hostile/tree/repositories.rs::hooks_in_the_tree",
        ]),
    ),
    (
        "*Whoever can write to the inventory* can ask for access, within the rights of their folder;",
        Tests(&[
            "inventory/rights.rs::a_folder_gives_what_it_may_and_nothing_else",
            "inventory/rights.rs::two_rights_do_not_add_up_to_one",
            "inventory/rights.rs::an_account_cannot_be_pulled_into_a_project_by_its_team",
        ]),
    ),
    (
        "review of merge requests and `policies/` (owned by the administrators) are the control.",
        Tests(&[
            "inventory/rights.rs::rights_with_mistakes_do_not_open_the_door",
            "hostile/review/settings.rs::wider_rights_of_a_folder_are_shown",
            "hostile/review/people.rs::who_joins_by_the_branch_is_shown",
            "hostile/review/comment.rs::five_thousand_harmless_grants_do_not_hide_a_privileged_one",
        ]),
    ),
    (
        "*Whoever can open a merge request* can name secrets, servers and sinks, for what the \
         operator's file says each is for, and nothing else: no command, file or server of theirs, \
         and no state folder.",
        Tests(&[
            "hostile/review/forges.rs::a_hostile_branch_of_a_fork",
            "hostile/operator/branch.rs::a_sink_takes_no_keys_of_others_than_it_is_for",
            "hostile/operator/state.rs::what_a_branch_commits_there_is_not_believed_by_any_command",
            "hostile/operator/state.rs::a_link_in_the_repository_leads_to_no_state",
            "hostile/operator/state.rs::without_git_nobody_can_be_asked_and_nothing_in_a_repository_is_believed",
            "keys/sinks.rs::only_a_file_that_holds_a_key_is_replaced",
        ]),
    ),
    (
        "*Whoever can write to the operator's file* has every secret it names and chooses whom to \
         believe;",
        Describes("what they have; whom that may be is the next sentence"),
    ),
    (
        "it is refused where that could be anybody but its owner and root.",
        Tests(&[
            "hostile/operator/file.rs::a_file_that_others_may_read_or_write_is_refused",
            "hostile/operator/file.rs::a_file_in_a_folder_that_others_may_write_to_is_refused",
            "hostile/operator/file.rs::a_file_in_the_repository_is_refused_by_whatever_way",
            "hostile/operator/file.rs::it_is_read_once_and_a_run_goes_by_that",
        ]),
    ),
    (
        "*Whoever can write to `policies/`* or to the machine the program runs on has all the rights \
         it has.",
        Describes("they have all rights: there is nothing to keep them from"),
    ),
    (
        "*Whoever controls the directory* controls who is in which group: that is its purpose;",
        Describes("its purpose; what bounds it is the next sentence"),
    ),
    (
        "limits, protected users and required administrators bound what one run does with it.",
        Tests(&[
            "engine/guard.rs::limits_hold_all_counted_removals_from_one_too_many_on_and_no_addition",
            "engine/guard.rs::nothing_is_taken_from_protected_users_however_their_name_is_written",
            "engine/guard.rs::required_administrators_stay_whatever_the_number_of_others",
            "cli/codes.rs::held_removals_wait_and_the_rest_is_done",
        ]),
    ),
    (
        "*A server in the middle* is kept out by TLS with verified certificates;",
        Tests(&[
            "directory/transport.rs::an_authority_we_do_not_trust",
            "directory/transport.rs::a_certificate_that_is_over_or_for_another_name",
            "keys/store.rs::a_store_is_spoken_to_under_tls_and_only_if_it_can_be_trusted",
        ]),
    ),
    (
        "bind passwords do not leave the machine without it.",
        Tests(&["directory/transport.rs::without_tls_nothing_is_sent_to_another_machine"]),
    ),
    (
        "*A directory that never ends* costs the time and memory it is given, and then the run goes \
         on without removals on its account.",
        Tests(&[
            "hostile/directory/endless.rs::endless_entries_end_with_the_memory",
            "hostile/directory/endless.rs::an_entry_every_so_often_ends_with_the_time",
            "hostile/directory/endless.rs::whoever_writes_the_inventory_cannot_lift_the_bounds",
            "hostile/directory/endless.rs::a_run_with_a_directory_that_never_ends_takes_nothing_away_and_gives_the_lock_back",
        ]),
    ),
    (
        "*Whoever reads logs, plans on the terminal or records* sees log-in names and ids, no mail \
         addresses, full names, distinguished names of people or secrets: an entry without a log-in \
         name is told by a digest of its distinguished name, which only `-vv` shows.",
        Tests(&[
            "cli/secrets.rs::nothing_planted_comes_out",
            "cli/secrets.rs::secrets_on_the_command_line_do_not_stay",
            "cli/saved_plans.rs::private_values_are_in_the_file_and_nowhere_else",
            "hostile/directory/names.rs::people_are_named_by_log_in_or_digest_and_by_dn_only_when_debugging",
            "hostile/operator/file.rs::what_cannot_be_opened_is_not_named",
            "hostile/logs.rs::a_line_end_in_a_name_of_a_directory_makes_no_line_of_a_log",
        ]),
    ),
    (
        "What a server says in an error is cut, escaped, and shown without names of its entries, mail \
         addresses and our secrets, the program's own AWS credentials and the id of their key \
         included, also where URLs, JSON, hexadecimal or base 64 write them.",
        Tests(&[
            "hostile/directory/names.rs::the_words_of_a_server_are_cut",
            "hostile/directory/names.rs::our_password_in_the_words_of_a_server_is_not_shown",
            "hostile/directory/names.rs::nobodys_mail_address_in_the_words_of_a_server_is_shown",
            "hostile/directory/names.rs::the_name_of_an_entry_in_the_words_of_a_server_is_not_shown",
            "aws/echoes.rs::our_credentials_and_peoples_addresses_in_its_words_are_not_shown",
        ]),
    ),
    (
        "A plan saved with `--out` and an export hold names and mail addresses and are readable by \
         their owner only.",
        Tests(&[
            "report/saved.rs::what_is_saved_is_loaded_and_only_for_its_owner",
            "cli/saved_plans.rs::private_values_are_in_the_file_and_nowhere_else",
            "hostile/directory/cut.rs::an_export_is_whole_or_is_not_written",
        ]),
    ),
    (
        "*Whoever can write to the state folder* can edit records: with a key and a witness that \
         shows, without them replacing everything shows only against a head kept elsewhere (\"The \
         run record\");",
        Tests(&[
            "record/chain.rs::any_change_is_found",
            "record/chain.rs::an_index_cut_together_with_its_head_does_not_match_a_head_seen_earlier",
            "hostile/record.rs::the_last_run_is_rewritten_with_new_hashes",
            "hostile/record.rs::the_folder_is_replaced_by_a_record_of_the_attackers",
            "hostile/record.rs::without_a_key_the_cut_end_is_not_found_and_the_readme_says_so",
            "hostile/record.rs::a_head_seen_elsewhere_is_a_witness_too",
        ]),
    ),
    (
        "and can keep runs from starting.",
        Tests(&["cli/codes.rs::a_damaged_record_stops_runs_before_they_change_anything"]),
    ),
    (
        "The lock holds for runs that share a state folder;",
        Tests(&[
            "cli/at_once.rs::of_two_runs_one_writes_and_the_other_says_who_does",
            "cli/at_once.rs::a_race_has_one_winner",
        ]),
    ),
    (
        "run the program for an organisation from one machine, or share the folder.",
        Describes("what the reader is to do"),
    ),
];

/// So few sentences may stand without a test.
const MOST_DESCRIBE: usize = 4;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_default()
}

/// The sentences of the two sections, on one line each.
fn promised(readme: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in ["What it never does", "Threat model"] {
        let rest = readme.split(&format!("\n## {name}\n")).nth(1).expect("the section is there");
        let section = rest.split("\n## ").next().unwrap_or_default();
        for block in blocks(section) {
            found.extend(sentences(&block));
        }
    }
    found
}

/// Paragraphs, items of lists and cells of tables, on one line each.
fn blocks(section: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in section.lines().map(str::trim) {
        let is_table = line.starts_with('|');
        let item = line.strip_prefix("- ").or_else(|| line.strip_prefix("* "));
        if is_table || item.is_some() || line.is_empty() || line.starts_with('#') {
            blocks.push(String::new());
        }
        if is_table {
            blocks.extend(line.split('|').map(|cell| cell.trim().to_owned()));
            blocks.push(String::new());
        } else {
            let block = blocks.last_mut().expect("there is one from the beginning");
            block.push_str(item.unwrap_or(line));
            block.push(' ');
        }
    }
    let says_something = |block: &String| block.contains(char::is_alphanumeric);
    blocks.into_iter().filter(says_something).collect()
}

/// A sentence ends with a full stop, and a part of one that could stand alone with a semicolon, before
/// a blank.
fn sentences(block: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for word in block.split_whitespace() {
        let sentence = found.last_mut().expect("there is one from the beginning");
        if !sentence.is_empty() {
            sentence.push(' ');
        }
        sentence.push_str(word);
        if word.ends_with(['.', ';', '?', '!']) {
            found.push(String::new());
        }
    }
    found.retain(|sentence| !sentence.is_empty());
    found
}

/// Whether `FILE::TEST` below `tests/it` is a test.
fn is_test(test: &str) -> bool {
    let (file, name) = test.split_once("::").expect("FILE::TEST");
    let source = read(&format!("tests/it/{file}"));
    let Some((before, _)) = source.split_once(&format!(" {name}() {{")) else { return false };
    let lines: Vec<&str> = before.lines().rev().collect();
    lines.first().is_some_and(|line| matches!(line.trim(), "fn" | "async fn"))
        && lines[1..]
            .iter()
            .take_while(|line| line.starts_with("#["))
            .any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
}

fn problems(readme: &str, table: &[(&str, Proof)]) -> Vec<String> {
    let promised = promised(readme);
    let mut problems = Vec::new();
    for sentence in &promised {
        match table.iter().filter(|(known, _)| known == sentence).count() {
            0 => problems.push(format!("no test attacks: {sentence}")),
            1 => {}
            _ => problems.push(format!("more than one entry for: {sentence}")),
        }
    }
    for (known, proof) in table {
        if !promised.iter().any(|sentence| sentence == known) {
            problems.push(format!("the README does not say any more: {known}"));
        }
        match proof {
            Tests([]) | Describes("") => problems.push(format!("nothing stands behind: {known}")),
            Tests(tests) => {
                let missing = tests.iter().filter(|test| !is_test(test));
                problems.extend(missing.map(|test| format!("there is no test {test}")));
            }
            Describes(_) => {}
        }
    }
    problems
}

#[test]
fn every_sentence_has_a_test_that_attacks_it() {
    assert_eq!(problems(&read("README.md"), SENTENCES), [""; 0]);
    let describe = SENTENCES.iter().filter(|(_, proof)| matches!(proof, Describes(_))).count();
    assert!(describe <= MOST_DESCRIBE, "{describe} sentences only describe");
}

#[test]
fn a_sentence_more_or_less_is_noticed() {
    let readme = read("README.md");
    let with = |from: &str, to: &str| {
        assert!(readme.contains(from), "{from}");
        problems(&readme.replacen(from, to, 1), SENTENCES)
    };
    let more = ["no test attacks: Eat children."];
    assert_eq!(with("- Touch what", "- Eat children.\n- Touch what"), more);
    // Behind another sentence of the same line, in a cell of a table, in a heading below.
    assert_eq!(with("its mark.\n", "its mark. Eat children.\n"), more);
    assert_eq!(
        with("\n## Threat model\n", "\n## Threat model\n\n| Eat children. |\n|---|\n"),
        more
    );
    assert_eq!(with("its mark.\n", "its mark.\n\n### Eat children.\n").len(), 1);
    // A sentence that promises something else is another one.
    assert_eq!(with("- Touch what does not", "- Touch nothing that does not").len(), 2);
    assert_eq!(with("kept out by TLS", "kept out by hope").len(), 2);
}

#[test]
fn entries_without_a_test_are_noticed() {
    let readme = "\n## What it never does\n\n- Lie.\n\n## Threat model\n\nNone.\n\n## More\n";
    let of = |proof| problems(readme, &[("Lie.", proof), ("None.", Describes("nobody"))]);
    assert_eq!(of(Tests(&["hostile/sentences.rs::entries_without_a_test_are_noticed"])), [""; 0]);
    for test in [
        "hostile/sentences.rs::no_such_test",
        "hostile/none.rs::entries_without_a_test_are_noticed",
        // A function, but no test.
        "record/chain.rs::untouched",
        // A part of a name.
        "hostile/sentences.rs::a_test_are_noticed",
    ] {
        let tests: &'static [&'static str] = Box::leak(Box::new([test]));
        assert_eq!(of(Tests(tests)), [format!("there is no test {test}")]);
    }
    assert_eq!(of(Tests(&[])), ["nothing stands behind: Lie."]);
    assert_eq!(of(Describes("")), ["nothing stands behind: Lie."]);
}
