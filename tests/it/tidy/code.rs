//! Just enough of Rust's grammar: code without comments, texts and unit tests, and its paths.

/// A word, a text or one other character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// An identifier, a keyword or a number.
    Word(String),
    /// The content of a string or byte string.
    Text(String),
    /// Anything else but white space.
    Sign(char),
}

/// The tokens of a source text, without comments and without items under `#[cfg(test)]`.
pub fn tokens(source: &str) -> Vec<Token> {
    without_tests(&lex(&source.chars().collect::<Vec<_>>()))
}

fn lex(source: &[char]) -> Vec<Token> {
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < source.len() {
        let rest = &source[at..];
        at += match rest {
            ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => block_comment(rest),
            ['"', ..] => text(rest, &mut tokens),
            ['r', '"' | '#', ..] | ['b', 'r', '"' | '#', ..] if raw_text(rest).is_some() => {
                let (length, content) = raw_text(rest).expect("just checked");
                tokens.push(Token::Text(content));
                length
            }
            ['\'', '\\', _, more @ ..] => {
                3 + more.iter().position(|c| *c == '\'').map_or(0, |end| end + 1)
            }
            ['\'', _, '\'', ..] => 3,
            [c, ..] if is_word(*c) => {
                let length = rest.iter().position(|c| !is_word(*c)).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..length].iter().collect()));
                length
            }
            [c, ..] => {
                if !c.is_whitespace() {
                    tokens.push(Token::Sign(*c));
                }
                1
            }
            [] => 1,
        };
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] if depth == 1 => return at + 2,
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

fn text(rest: &[char], tokens: &mut Vec<Token>) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    tokens.push(Token::Text(rest[1..at.min(rest.len())].iter().collect()));
    at + 1
}

fn raw_text(rest: &[char]) -> Option<(usize, String)> {
    let begin = rest.iter().position(|c| *c == 'r')? + 1;
    let hashes = rest[begin..].iter().take_while(|c| **c == '#').count();
    let open = begin + hashes;
    (rest.get(open) == Some(&'"')).then_some(())?;
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let length = rest[open + 1..].windows(close.len()).position(|window| *window == close)?;
    let content = rest[open + 1..open + 1 + length].iter().collect();
    Some((open + 1 + length + close.len(), content))
}

fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let marker = lex(&"#[cfg(test)]".chars().collect::<Vec<_>>());
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if tokens[at..].starts_with(&marker) {
            at += marker.len();
            at += item_length(&tokens[at..]);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// How many tokens the item at the front has: up to its `;` or the `}` that closes it.
fn item_length(tokens: &[Token]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') if depth == 1 => return at + 1,
            Token::Sign('}') => depth -= 1,
            Token::Sign(';') if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Every path of a file, written out in full: braces expanded, `self` and `super` resolved to
/// `crate::…`. `module` is the module the file is.
pub fn paths(tokens: &[Token], module: &[&str]) -> Vec<Vec<String>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if matches!(&tokens[at], Token::Word(_)) {
            at = path(tokens, at, &[], &mut found);
        } else {
            at += 1;
        }
    }
    found.into_iter().map(|path| resolve(path, module)).collect()
}

/// Reads one path, or a tree of paths, from `at`. Gives where it ends.
fn path(tokens: &[Token], mut at: usize, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    loop {
        match tokens.get(at) {
            Some(Token::Word(word)) => path.push(word.clone()),
            Some(Token::Sign('{')) => return group(tokens, at + 1, &path, found),
            _ => return at.max(1),
        }
        at += 1;
        if !tokens[at..].starts_with(&[Token::Sign(':'), Token::Sign(':')]) {
            found.push(path);
            return at;
        }
        at += 2;
        if !matches!(tokens.get(at), Some(Token::Word(_) | Token::Sign('{'))) {
            // `::<` or `::*`
            found.push(path);
            return at;
        }
    }
}

fn group(
    tokens: &[Token],
    mut at: usize,
    path_before: &[String],
    found: &mut Vec<Vec<String>>,
) -> usize {
    loop {
        match tokens.get(at) {
            Some(Token::Word(_) | Token::Sign('{')) => at = path(tokens, at, path_before, found),
            Some(Token::Sign('}')) | None => return at + 1,
            Some(_) => at += 1,
        }
    }
}

fn resolve(mut path: Vec<String>, module: &[&str]) -> Vec<String> {
    let supers = path.iter().take_while(|word| *word == "super").count();
    let selves = usize::from(path[0] == "self");
    if supers + selves > 0 {
        let base = module.iter().take(module.len().saturating_sub(supers));
        let mut full: Vec<String> = vec!["crate".into()];
        full.extend(base.map(|word| (*word).to_owned()));
        full.extend(path.drain(supers + selves..));
        path = full;
    }
    path
}

#[test]
fn comments_texts_and_tests_are_not_code() {
    let source = "//! a::b\nuse x::{y::Z, self as _, w}; /* q /* r */ */ let s = r#\"t\"#; 'a' \
                  #[cfg(test)] mod tests { use crate::cli; fn f() {} } fn after<'a>() {}";
    let tokens = tokens(source);
    assert!(tokens.contains(&Token::Text("t".into())));
    let words: Vec<String> = paths(&tokens, &[]).iter().map(|path| path.join("::")).collect();
    for word in ["x::y::Z", "x::w", "after"] {
        assert!(words.iter().any(|found| found == word), "{word} is not in {words:?}");
    }
    for word in ["a::b", "q", "crate::cli", "t", "tests"] {
        assert!(!words.iter().any(|found| found == word), "{word} is in {words:?}");
    }
}

#[test]
fn super_is_resolved() {
    let tokens = tokens("use super::super::plan::Plan; fn f() { self::g(); super::h() }");
    let paths = paths(&tokens, &["cloud", "memory"]);
    let words: Vec<String> = paths.iter().map(|path| path.join("::")).collect();
    for word in ["crate::plan::Plan", "crate::cloud::memory::g", "crate::cloud::h"] {
        assert!(words.iter().any(|found| found == word), "{word} is not in {words:?}");
    }
}
