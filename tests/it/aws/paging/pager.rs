//! Puts the lists of moto, which come whole, on pages: a proxy in front of it.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use roxmltree::{Document, Node};

use super::lists::{LISTS, List};
use crate::peers::http::{Reply, Request};
use crate::peers::server::{Answer, ScriptedHttp};

/// A running proxy; ends when dropped.
pub struct Pager {
    server: ScriptedHttp,
    most: Arc<AtomicUsize>,
}

impl Pager {
    /// Starts a proxy whose pages hold as much as is asked for.
    pub fn start(upstream: SocketAddr) -> Self {
        let most = Arc::new(AtomicUsize::new(usize::MAX));
        let for_serving = Arc::clone(&most);
        let server = ScriptedHttp::start(move |request| {
            let most = for_serving.load(Ordering::Relaxed);
            carry(request, upstream, most).map_or(Answer::Reset, Answer::Reply)
        });
        Self { server, most }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// How many things a page holds at most.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    /// From now on no page holds more than so many things, as IAM may do as it likes.
    pub fn page_size(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }
}

fn carry(request: &Request, upstream: SocketAddr, most: usize) -> Option<Reply> {
    let action = request.parameter("Action").unwrap_or_default();
    let Some(list) = LISTS.iter().find(|list| list.action == action && list.is_paged) else {
        return request.send(upstream).ok();
    };
    let number = |name: &str| request.parameter(name).and_then(|text| text.parse().ok());
    let most = number("MaxItems").unwrap_or(100).min(most);
    let from = number("Marker").unwrap_or(0);
    // moto knows some of the parameters of some of the lists.
    let mut whole = form_urlencoded::Serializer::new(String::new());
    for (key, value) in form_urlencoded::parse(&request.body) {
        if !["MaxItems", "Marker"].contains(&&*key) {
            whole.append_pair(&key, &value);
        }
    }
    let whole = Request { body: whole.finish().into_bytes(), ..request.clone() };
    let mut reply = whole.send(upstream).ok()?;
    if reply.status == 200 {
        reply.body = page(list, &reply.text(), from, most).into_bytes();
    }
    Some(reply)
}

/// One page of a list: the members with these numbers, counted through all its elements.
fn page(list: &List, whole: &str, from: usize, most: usize) -> String {
    let document = Document::parse(whole).expect("moto speaks XML");
    let name = |node: &Node<'_, '_>| node.tag_name().name().to_owned();
    let result = document.root_element().children().find(|node| name(node).ends_with("Result"));
    let result = result.expect("a result");
    let wanted = from..from.saturating_add(most);
    let mut count = 0;
    let mut page = String::new();
    for child in result.children().filter(Node::is_element) {
        let name = name(&child);
        if list.elements.iter().any(|element| element.name == name) {
            let members: Vec<Range<usize>> =
                child.children().filter(Node::is_element).map(|one| one.range()).collect();
            let numbered = (count..).zip(&members);
            let on_page = numbered.filter(|(number, _)| wanted.contains(number));
            let text: String = on_page.map(|(_, range)| &whole[range.clone()]).collect();
            let _ = write!(page, "<{name}>{text}</{name}>");
            count += members.len();
        } else if !["IsTruncated", "Marker"].contains(&name.as_str()) {
            page += &whole[child.range()];
        }
    }
    let is_truncated = wanted.end < count;
    let _ = write!(page, "<IsTruncated>{is_truncated}</IsTruncated>");
    if is_truncated {
        let _ = write!(page, "<Marker>{}</Marker>", wanted.end);
    }
    let range = result.range();
    let name = name(&result);
    format!("{}<{name}>{page}</{name}>{}", &whole[..range.start], &whole[range.end..])
}
