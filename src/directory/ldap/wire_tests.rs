//! Tests of `wire`.

use proptest::prelude::*;
use tokio::io::duplex;

use super::super::ber::{element, encoded_integer};
use super::*;

/// A message with a search's entry under that number.
fn entry(id: i32, content: &[u8]) -> Vec<u8> {
    request::message(id, &element(tag::application(4), content), &[])
}

/// A connection on which the server says these bytes, in pieces of that size, and hangs up.
fn server(bytes: Vec<u8>, piece: usize) -> Wire {
    let (ours, mut theirs) = duplex(piece.max(1));
    tokio::spawn(async move {
        // The other side may have given up.
        let _ = theirs.write_all(&bytes).await;
    });
    Wire::new(Box::new(ours))
}

/// Answers to request 3 until the connection breaks.
async fn entries(wire: &mut Wire) -> (Vec<Vec<u8>>, Broken) {
    let mut entries = Vec::new();
    loop {
        match wire.answer(3).await {
            Ok(Operation::Entry(content)) => entries.push(content.to_vec()),
            Ok(_) => panic!("there are entries only"),
            Err(broken) => return (entries, broken),
        }
    }
}

#[tokio::test]
async fn messages_are_found_whatever_pieces_they_come_in() {
    let contents = [vec![], vec![1; 100], vec![2; 300], vec![3; 3 * READ], vec![4; 10]];
    let bytes: Vec<u8> = contents.iter().flat_map(|content| entry(3, content)).collect();
    for piece in [5, 1000, READ - 1, READ, 3 * READ] {
        let mut wire = server(bytes.clone(), piece);
        let (found, broken) = entries(&mut wire).await;
        assert!(found == contents, "in pieces of {piece}");
        assert!(matches!(broken, Broken::Closed) && !wire.is_usable());
    }
}

#[tokio::test]
async fn answers_nobody_waits_for_are_left_out_and_foreign_ones_refused() {
    let bytes = [entry(2, b"old"), entry(3, b"ours"), entry(1, b"older"), entry(4, b"?")].concat();
    let (found, broken) = entries(&mut server(bytes, 64)).await;
    assert_eq!(found, [b"ours"]);
    assert!(matches!(broken, Broken::Malformed));
}

#[tokio::test]
async fn a_server_that_says_good_bye() {
    let outcome = [
        encoded_integer(tag::ENUMERATED, 52),
        element(tag::OCTETS, b""),
        element(tag::OCTETS, b"shutting down"),
    ];
    let notice = element(tag::application(24), &outcome.concat());
    // Active Directory puts the notice's name behind the operation.
    let name = element(tag::context(10), b"1.3.6.1.4.1.1466.20036");
    for behind in [&[][..], &name] {
        let (_, broken) = entries(&mut server(request::message(0, &notice, behind), 64)).await;
        assert_eq!(
            broken.to_string(),
            "the server ended the session: unavailable (52, shutting down)"
        );
    }
    let (_, broken) = entries(&mut server(entry(0, b""), 64)).await;
    assert!(matches!(broken, Broken::Malformed));
}

#[tokio::test]
async fn an_announcement_without_measure_is_refused_before_it_fills_the_memory() {
    let mut wire = server(vec![0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x02], 64);
    let (_, broken) = entries(&mut wire).await;
    assert!(matches!(broken, Broken::TooLong { .. }) && wire.input.len() == READ);
    // One that is only large makes no room before it comes.
    let mut wire = server(vec![0x30, 0x84, 0x07, 0xff, 0xff, 0xff, 0x02], 64);
    wire.take_up_to(usize::MAX);
    let (_, broken) = entries(&mut wire).await;
    assert!(matches!(broken, Broken::Closed) && wire.input.len() == READ);
}

#[tokio::test]
async fn what_came_before_tls_is_not_believed() {
    let bytes = [entry(3, b"asked for"), entry(4, b"slipped in")].concat();
    let mut wire = server(bytes, 1000);
    assert!(wire.answer(3).await.is_ok());
    assert!(matches!(wire.into_stream(), Err(Broken::Malformed)));
}

proptest! {
    #[test]
    fn no_bytes_panic_or_hang(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            for bytes in [bytes.clone(), element(tag::SEQUENCE, &bytes)] {
                let mut wire = server(bytes, 64);
                while wire.answer(3).await.is_ok() {}
                assert!(!wire.is_usable());
            }
        });
    }
}
