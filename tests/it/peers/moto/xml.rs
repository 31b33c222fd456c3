//! Replies in XML.

use std::fmt;

use roxmltree::{Document, Node};

/// A reply, looked into by the names of its elements; namespaces do not matter.
#[derive(Clone, PartialEq, Eq)]
pub struct Xml(String);

impl Xml {
    /// Takes a text that must be XML.
    pub fn new(text: String) -> Self {
        if let Err(error) = Document::parse(&text) {
            panic!("{error}: {text}");
        }
        Self(text)
    }

    /// All of it, as it came.
    pub fn as_text(&self) -> &str {
        &self.0
    }

    /// The text of the first element with a name.
    pub fn first(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }

    /// The text of the first element with a name, which must be there.
    pub fn text(&self, name: &str) -> String {
        self.first(name).unwrap_or_else(|| panic!("no {name} in {}", self.0))
    }

    /// The texts of all elements with a name.
    pub fn all(&self, name: &str) -> Vec<String> {
        let document = self.parsed();
        document
            .descendants()
            .filter(|node| node.tag_name().name() == name)
            .map(|node| node.text().unwrap_or_default().to_owned())
            .collect()
    }

    /// The `member` elements of the first list with a name, each as a reply of its own.
    pub fn members(&self, list: &str) -> Vec<Self> {
        let document = self.parsed();
        let found = document.descendants().find(|node| node.tag_name().name() == list);
        found
            .into_iter()
            .flat_map(|list| list.children().filter(Node::is_element))
            .map(|member| Self(self.0[member.range()].to_owned()))
            .collect()
    }

    /// The first element with a name as lines, the same for the same content: without the elements
    /// that are `left_out`, lists in order, documents as JSON in order.
    pub fn lines(&self, name: &str, left_out: &[&str]) -> String {
        let document = self.parsed();
        let found = document.descendants().find(|node| node.tag_name().name() == name);
        found.map(|node| lines(node, left_out)).unwrap_or_default()
    }

    fn parsed(&self) -> Document<'_> {
        Document::parse(&self.0).expect("was XML before")
    }
}

impl fmt::Debug for Xml {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn lines(node: Node<'_, '_>, left_out: &[&str]) -> String {
    let name = node.tag_name().name();
    let mut below: Vec<String> = node
        .children()
        .filter(|child| child.is_element() && !left_out.contains(&child.tag_name().name()))
        .map(|child| lines(child, left_out))
        .collect();
    if below.is_empty() {
        return format!("{name}: {}\n", normal(node.text().unwrap_or_default().trim()));
    }
    below.sort();
    let below = below.concat();
    let indented: String = below.lines().flat_map(|line| ["  ", line, "\n"]).collect();
    format!("{name}:\n{indented}")
}

/// Policy documents come percent-encoded, and as JSON whose spaces and order mean nothing.
fn normal(text: &str) -> String {
    let encoded = format!("x={}", text.replace('+', "%2B"));
    let decoded = form_urlencoded::parse(encoded.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default();
    match serde_json::from_str::<serde_json::Value>(&decoded) {
        Ok(document @ serde_json::Value::Object(_)) => document.to_string(),
        _ => text.to_owned(),
    }
}

#[test]
fn the_same_content_has_the_same_lines() {
    let one = Xml::new("<R xmlns='u'><L><member><B>2</B><A>1</A></member><member><A>0</A></member></L><D>%7B%22b%22%3A1%2C%20%22a%22%3A2%7D</D><Id>x</Id></R>".into());
    let other = Xml::new("<R><Id>y</Id><D>{\"a\":2,\"b\":1}</D><L><member><A>0</A></member><member><A>1</A><B>2</B></member></L></R>".into());
    assert_eq!(one.lines("R", &["Id"]), other.lines("R", &["Id"]));
    assert_ne!(one.lines("R", &[]), other.lines("R", &[]));
    assert_eq!(one.lines("L", &[]), "L:\n  member:\n    A: 0\n  member:\n    A: 1\n    B: 2\n");
    assert_eq!(one.members("L").len(), 2);
    assert_eq!(one.members("L")[1].text("A"), "0");
}
