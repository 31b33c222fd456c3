//! Throws damaged inputs at a reader and checks what must hold for every input. Part of the unit
//! tests, so that private readers are reached and nothing of it is in the program.
//!
//! # Expected flow
//! A target (`fuzz.rs` beside its reader) names itself and says what must hold. Its seeds are the
//! files in `tests/fuzz/NAME/`. All of them are tried as they are; then damaged ones, some
//! thousand of them: bytes changed, cut, doubled, words of the grammar put in, seeds spliced. What
//! a target returns tells inputs apart by what became of them; an input with an outcome that was
//! never seen joins the seeds for the rest of the run, which is how the corners are reached that
//! no seed is in.
//!
//! # Guarantees
//! - The same seed number gives the same inputs in the same order on every machine; time only
//!   decides how many.
//! - A run ends: after so many cases, or so many seconds, whichever is first.
//! - Whatever fails is made smaller, kept as `tests/fuzz/NAME/found-…`, and tried first by every
//!   later run.
//! - No reader may take more memory than it says for the length of its input, or seconds for one.
//!
//! # From outside
//! `RECONCILE_FUZZ_SECONDS=n`: so long for each target, instead of some thousand cases.
//! `RECONCILE_FUZZ_SEED=n`: another sequence of inputs, or the one that a failure names.

mod damage;

use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use damage::damage;

/// Without `RECONCILE_FUZZ_SECONDS`: so many damaged inputs, but no longer than that.
const CASES: u64 = 2_000;
const TIME: Duration = Duration::from_millis(600);
/// With it: more than any machine gets through.
const MOST_CASES: u64 = u64::MAX;
/// No input that may be this long takes this long, however busy the machine is.
const HANGS: Duration = Duration::from_secs(20);
/// So many inputs join the seeds.
const MOST_KEPT: usize = 4_096;
/// How often a failing input is tried smaller.
const SHRINKS: usize = 2_000;

/// A reader under attack.
pub(crate) struct Target {
    name: &'static str,
    words: &'static [&'static str],
    longest: usize,
    memory: (usize, usize),
}

impl Target {
    /// The target whose seeds are in `tests/fuzz/NAME/`.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, words: &[], longest: 4 << 10, memory: (1 << 20, 256) }
    }

    /// Words that mean something to the reader.
    pub(crate) fn words(mut self, words: &'static [&'static str]) -> Self {
        self.words = words;
        self
    }

    /// Inputs grow to so many bytes.
    pub(crate) fn longest(mut self, bytes: usize) -> Self {
        self.longest = bytes;
        self
    }

    /// The most memory the reader may hold at once: so much, and so much for each byte of input.
    pub(crate) fn memory(mut self, fixed: usize, per_byte: usize) -> Self {
        self.memory = (fixed, per_byte);
        self
    }

    /// Runs it. `check` panics where something does not hold, and gives what became of the input.
    pub(crate) fn run<T: Hash>(&self, check: impl Fn(&[u8]) -> T) {
        let mut seeds = self.seeds();
        assert!(!seeds.is_empty(), "tests/fuzz/{} has no seeds", self.name);
        let outcome = |input: &[u8]| self.outcome(&check, input);
        let mut seen = HashSet::new();
        for (file, seed) in &seeds {
            match outcome(seed) {
                Ok(outcome) => _ = seen.insert(outcome),
                Err(why) => panic!("tests/fuzz/{}/{file}: {why}", self.name),
            }
        }
        let mut pool: Vec<Vec<u8>> = seeds.drain(..).map(|(_, seed)| seed).collect();
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
        let sequence = number("RECONCILE_FUZZ_SEED").unwrap_or(1);
        let (cases, time) = match number("RECONCILE_FUZZ_SECONDS") {
            Some(seconds) => (MOST_CASES, Duration::from_secs(seconds)),
            None => (CASES, TIME),
        };
        let mut random = fastrand::Rng::with_seed(sequence);
        let end = Instant::now() + time;
        for case in 0..cases {
            if Instant::now() > end {
                break;
            }
            let input = damage(&mut random, &pool, self.words, self.longest);
            match outcome(&input) {
                Ok(new) => {
                    if seen.insert(new) && pool.len() < MOST_KEPT {
                        pool.push(input);
                    }
                }
                Err(why) => self.failed(&outcome, &input, sequence, case, &why),
            }
        }
    }

    fn outcome<T: Hash>(&self, check: &impl Fn(&[u8]) -> T, input: &[u8]) -> Result<u64, String> {
        let begin = Instant::now();
        let result = RefCell::new(Ok(0));
        let used = allocation_counter::measure(|| {
            let caught = catch_unwind(AssertUnwindSafe(|| {
                let mut hasher = DefaultHasher::new();
                check(input).hash(&mut hasher);
                hasher.finish()
            }));
            *result.borrow_mut() = caught.map_err(|panic| {
                let text = panic.downcast_ref::<String>().cloned();
                text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                    .unwrap_or_else(|| "a panic".to_owned())
            });
        });
        let (fixed, per_byte) = self.memory;
        let most = (fixed + per_byte * input.len()) as u64;
        let outcome = result.into_inner()?;
        if used.bytes_max > most {
            return Err(format!(
                "{} bytes of memory for {} bytes of input, at most {most} are allowed",
                used.bytes_max,
                input.len()
            ));
        }
        let took = begin.elapsed();
        if took > HANGS {
            return Err(format!("it took {took:?} for {} bytes of input", input.len()));
        }
        Ok(outcome)
    }

    fn failed(
        &self,
        outcome: &impl Fn(&[u8]) -> Result<u64, String>,
        input: &[u8],
        sequence: u64,
        case: u64,
        why: &str,
    ) -> ! {
        let (input, why) = smaller(outcome, input, why);
        let name = format!("found-{}", &crate::digest::sha256(&input)[..16]);
        let kept = std::fs::write(self.folder().join(&name), &input);
        panic!(
            "fuzzing {}: {why}\ninput: {}\n{} tests/fuzz/{}/{name}; this sequence again: \
             RECONCILE_FUZZ_SEED={sequence} (case {case})",
            self.name,
            input.escape_ascii(),
            if kept.is_ok() { "kept as" } else { "could not be kept as" },
            self.name,
        );
    }

    fn folder(&self) -> PathBuf {
        [env!("CARGO_MANIFEST_DIR"), "tests", "fuzz", self.name].iter().collect()
    }

    /// The seeds with their names, in the order of these.
    fn seeds(&self) -> Vec<(String, Vec<u8>)> {
        let folder = self.folder();
        let files = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut seeds: Vec<_> = files
            .map(|file| {
                let file = file.expect("the folder can be listed");
                let seed = std::fs::read(file.path()).expect("a seed can be read");
                (file.file_name().to_string_lossy().into_owned(), seed)
            })
            .collect();
        seeds.sort();
        seeds
    }
}

/// The input with as much taken out as still fails.
fn smaller(
    outcome: &impl Fn(&[u8]) -> Result<u64, String>,
    input: &[u8],
    why: &str,
) -> (Vec<u8>, String) {
    let (mut best, mut why) = (input.to_vec(), why.to_owned());
    let mut left = SHRINKS;
    let mut size = best.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < best.len() && left > 0 {
            left -= 1;
            let mut smaller = best.clone();
            smaller.drain(at..(at + size).min(best.len()));
            match outcome(&smaller) {
                Err(still) => (best, why) = (smaller, still),
                Ok(_) => at += size,
            }
        }
        size /= 2;
    }
    (best, why)
}

/// How many lines an input has, by any sign that could end one.
pub(crate) fn lines(input: &[u8]) -> u32 {
    let count = input.split(|byte| matches!(byte, b'\n' | b'\r')).count();
    u32::try_from(count).expect("inputs are short")
}

/// The input as text; what is no text is shown as such.
pub(crate) fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

mod tests {
    use super::*;

    #[test]
    fn a_flaw_is_found_made_small_and_named() {
        let target = Target::new("itself").words(&["magic"]);
        let found = catch_unwind(AssertUnwindSafe(|| {
            target.run(|input| {
                assert!(!text(input).contains("magic"), "the flaw");
                input.len().min(3)
            });
        }));
        let message = *found.expect_err("it is found").downcast::<String>().expect("a text");
        assert!(message.contains("the flaw"), "{message}");
        assert!(message.contains("input: magic\n"), "{message}");
        assert!(message.contains("RECONCILE_FUZZ_SEED="), "{message}");
        let kept = message.split("kept as ").nth(1).and_then(|rest| rest.split(';').next());
        let kept = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(kept.expect("it is kept"));
        assert_eq!(std::fs::read(&kept).expect("it is there"), b"magic");
        std::fs::remove_file(kept).expect("it can be removed");
    }

    #[test]
    fn memory_without_measure_is_found() {
        let greedy = |input: &[u8]| vec![0_u8; input.len() * 10_000].len().min(1);
        let target = Target::new("itself").memory(0, 100);
        assert!(target.outcome(&greedy, b"xx").expect_err("too much").contains("of memory"));
        let target = Target::new("itself").memory(0, 10_100);
        assert!(target.outcome(&greedy, b"xx").is_ok());
    }

    #[test]
    fn the_same_number_gives_the_same_inputs() {
        let inputs = |number| {
            let mut random = fastrand::Rng::with_seed(number);
            let pool = [b"one two".to_vec(), b"three".to_vec()];
            (0..50).map(|_| damage(&mut random, &pool, &["word"], 64)).collect::<Vec<_>>()
        };
        assert_eq!(inputs(7), inputs(7));
        assert_ne!(inputs(7), inputs(8));
    }
}
