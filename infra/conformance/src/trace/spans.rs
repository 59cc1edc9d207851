//! Parses the spans in Rotel's output into a trace.

/// A span.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) trace_id: String,
    pub(super) id: String,
    pub(super) parent_id: String,
    pub(super) name: String,
    pub(super) start_ns: u128,
    pub(super) end_ns: u128,
}

/// The spans in Rotel's output.
pub(super) fn printed(lines: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    for line in lines.lines() {
        if line.starts_with("Span #") {
            spans.push(Span::default());
        }
        let (Some(span), Some((name, value))) = (spans.last_mut(), line.split_once(':')) else {
            continue;
        };
        let value = value.trim();
        let time = || value.parse().unwrap_or_default();
        match name.trim() {
            "Trace ID" => value.clone_into(&mut span.trace_id),
            "Parent ID" => value.clone_into(&mut span.parent_id),
            "ID" => value.clone_into(&mut span.id),
            "Name" => value.clone_into(&mut span.name),
            "Start time" => span.start_ns = time(),
            "End time" => span.end_ns = time(),
            _ => {}
        }
    }
    spans
}

/// The spans of one trace, ordered by start time.
pub(super) struct Trace(Vec<Span>);

impl Trace {
    pub(super) fn of(trace_id: &str, spans: &[Span]) -> Self {
        let of_trace = |span: &&Span| span.trace_id == trace_id && !span.id.is_empty();
        let mut spans: Vec<Span> = spans.iter().filter(of_trace).cloned().collect();
        spans.sort_by_key(|span| span.start_ns);
        Self(spans)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|span| span.name == name)
    }

    /// Whether there are spans of these names, each the parent of the next.
    pub(super) fn has_path(&self, names: &[&str]) -> bool {
        let Some((first, rest)) = names.split_first() else { return true };
        let starts = self.0.iter().filter(|span| span.name == *first);
        starts.into_iter().any(|span| self.leads_on(span, rest))
    }

    fn leads_on(&self, from: &Span, names: &[&str]) -> bool {
        let Some((first, rest)) = names.split_first() else { return true };
        let mut children = self.children(&from.id).filter(|span| span.name == *first);
        children.any(|child| self.leads_on(child, rest))
    }

    fn children<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Span> {
        self.0.iter().filter(move |span| span.parent_id == id)
    }

    /// The trace as a tree, one line per span: start, duration, name.
    pub(super) fn told(&self) -> Vec<String> {
        let known = |id: &str| self.0.iter().any(|span| span.id == id);
        let roots: Vec<&Span> = self.0.iter().filter(|span| !known(&span.parent_id)).collect();
        let origin_ns = roots.first().map_or(0, |span| span.start_ns);
        let mut lines = Vec::new();
        for root in roots {
            self.tell(root, 0, origin_ns, &mut lines);
        }
        lines
    }

    fn tell(&self, span: &Span, depth: usize, origin_ns: u128, lines: &mut Vec<String>) {
        let at_us = span.start_ns.saturating_sub(origin_ns) / 1_000;
        let took_us = span.end_ns.saturating_sub(span.start_ns) / 1_000;
        let indent = "  ".repeat(depth);
        lines.push(format!("{at_us:>9} us {took_us:>9} us  {indent}{}", span.name));
        for child in self.children(&span.id) {
            self.tell(child, depth + 1, origin_ns, lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "\
ScopeSpans #0
InstrumentationScope lifecycle
Span #0
    Trace ID       : t1
    Parent ID      :
    ID             : a
    Name           : POST /orders
    Kind           : SPAN_KIND_SERVER
Start time: 1000
End time: 9000
    Status code    : STATUS_CODE_UNSET
Span #1
    Trace ID       : t1
    Parent ID      : a
    ID             : b
    Name           : process emails
Start time: 5000
End time: 6000
Span #0
    Trace ID       : t2
    Parent ID      : a
    ID             : c
    Name           : mail
";

    #[test]
    fn printed_spans_are_parsed_into_a_tree() {
        let spans = printed(PRINTED);
        assert_eq!(spans.len(), 3);
        let trace = Trace::of("t1", &spans);
        assert!(trace.has_path(&["POST /orders", "process emails"]));
        assert!(!trace.has_path(&["process emails", "POST /orders"]));
        assert!(!trace.has("mail"), "it belongs to another trace");
        let told = trace.told();
        assert!(told[0].ends_with("  POST /orders") && told[1].ends_with("    process emails"));
    }
}
