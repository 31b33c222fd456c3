//! Making a damaged input out of good ones.

use fastrand::Rng;

/// So many damages at most to one input.
const MOST: usize = 8;

/// Bytes that stand at a border of something.
const BORDERS: [u8; 12] = [0, 1, 0x7f, 0x80, 0x84, 0xff, b'\n', b' ', b'"', b':', b'=', b'-'];

/// What is odd in any text: borders of numbers, and characters that hide or take room.
const ODD: [&str; 12] = [
    "18446744073709551615",
    "-1",
    "99999999999999999999",
    "\u{202e}",
    "\u{200b}",
    "\u{feff}",
    "\u{0}",
    "\r\n",
    "é",
    "\u{e0041}",
    "1e999",
    "9999-12-31",
];

/// One input: a good one with up to [`MOST`] damages.
pub(super) fn damage(
    random: &mut Rng,
    pool: &[Vec<u8>],
    words: &[&str],
    longest: usize,
) -> Vec<u8> {
    let mut input = pool[random.usize(..pool.len())].clone();
    for _ in 0..random.usize(1..=MOST) {
        once(random, &mut input, pool, words);
        input.truncate(longest);
    }
    input
}

fn once(random: &mut Rng, input: &mut Vec<u8>, pool: &[Vec<u8>], words: &[&str]) {
    let at = random.usize(..=input.len());
    let end = input.len().min(at + random.usize(..=input.len() - at).min(1 << random.u32(..10)));
    match random.u32(..12) {
        0 => input.truncate(at),
        1 => _ = input.drain(at..end),
        2 => flip(random, input, at),
        3 => replace(input, at, &[BORDERS[random.usize(..BORDERS.len())]]),
        4 => insert(input, at, &[random.u8(..)]),
        // The same again, often: what is bounded must be so.
        5 => {
            let piece = input[at..end].to_vec();
            let times = if random.u32(..8) == 0 { random.usize(1..200) } else { 1 };
            insert(input, at, &piece.repeat(times));
        }
        // Two places change theirs.
        6 => {
            let piece: Vec<u8> = input.drain(at..end).collect();
            let to = random.usize(..=input.len());
            insert(input, to, &piece);
        }
        // The end of another.
        7 => {
            let other = &pool[random.usize(..pool.len())];
            let from = random.usize(..=other.len());
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        8 => {
            let odd = ODD[random.usize(..ODD.len())];
            insert(input, at, odd.as_bytes());
        }
        9 => number(random, input, at),
        _ if words.is_empty() => flip(random, input, at),
        10 => insert(input, at, words[random.usize(..words.len())].as_bytes()),
        _ => {
            let word = words[random.usize(..words.len())];
            input.splice(at..end, word.bytes());
        }
    }
}

fn flip(random: &mut Rng, input: &mut [u8], at: usize) {
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << random.u32(..8);
    }
}

fn replace(input: &mut [u8], at: usize, bytes: &[u8]) {
    for (old, new) in input.iter_mut().skip(at).zip(bytes) {
        *old = *new;
    }
}

fn insert(input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    input.splice(at..at, bytes.iter().copied());
}

/// Another digit in the next number behind a place.
fn number(random: &mut Rng, input: &mut [u8], at: usize) {
    if let Some(digit) = input.iter_mut().skip(at).find(|byte| byte.is_ascii_digit()) {
        *digit = b'0' + random.u8(..10);
    }
}
