//! Lists in pages.

use serde_json::{Value, json};

use super::{INVALID, Refusal, State};

impl State {
    /// A page of a list, under the list's name.
    pub(super) fn page(
        &self,
        name: &str,
        items: Vec<Value>,
        body: &Value,
    ) -> Result<Value, Refusal> {
        let begin = match body.get("NextToken").and_then(Value::as_str) {
            None => 0,
            Some(token) => token.parse().map_err(|_| INVALID)?,
        };
        let most = body.get("MaxResults").and_then(Value::as_u64).unwrap_or(100);
        let most = usize::try_from(most).unwrap_or(100).min(self.behaviour.page_size);
        let is_hidden = |item: &Value| {
            let id = item.get("UserId").unwrap_or(item).as_str();
            id.is_some() && id == self.behaviour.hidden.as_deref()
        };
        let items: Vec<Value> = items.into_iter().filter(|item| !is_hidden(item)).collect();
        let total = items.len();
        let page: Vec<Value> = items.into_iter().skip(begin).take(most).collect();
        let end = if self.behaviour.stuck { begin } else { begin + most };
        let mut reply = json!({ name: page });
        if end < total {
            reply["NextToken"] = end.to_string().into();
        }
        Ok(reply)
    }
}
