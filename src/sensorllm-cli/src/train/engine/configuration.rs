//! What two configurations differ in, for people.

use std::collections::BTreeMap;

use serde_json::Value;

/// Differences listed before the rest is counted.
const LISTED: usize = 5;

/// The fields in which `now` differs from `before`, with both values; `None` if there are none.
pub fn differences(before: &Value, now: &Value) -> Option<String> {
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    fields(before, "", &mut old);
    fields(now, "", &mut new);
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    names.retain(|name| old.get(*name) != new.get(*name));
    let text = |value: Option<&&Value>| value.map_or("not there".to_owned(), |value| value.to_string());
    let one =
        |name: &&String| format!("`{name}` was {}, is now {}", text(old.get(*name)), text(new.get(*name)));
    let mut listed: Vec<String> = names.iter().take(LISTED).map(one).collect();
    if names.len() > LISTED {
        listed.push(format!("and {} more", names.len() - LISTED));
    }
    (!listed.is_empty()).then(|| listed.join(", "))
}

/// Every value that is not a table, by its path.
fn fields<'a>(value: &'a Value, path: &str, out: &mut BTreeMap<String, &'a Value>) {
    match value {
        Value::Object(table) if !table.is_empty() => {
            for (name, value) in table {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                fields(value, &inner, out);
            }
        }
        other => {
            out.insert(path.to_owned(), other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_are_named_with_both_values() {
        let before = json!({"seed": 1, "optimisation": {"epochs": 3, "warmup": 0.1}});
        assert_eq!(differences(&before, &before), None);
        let now = json!({"seed": 1, "optimisation": {"epochs": 4, "patience": 2}});
        let text = differences(&before, &now).expect("they differ");
        assert_eq!(
            text,
            "`optimisation.epochs` was 3, is now 4, `optimisation.patience` was not there, is now 2, \
             `optimisation.warmup` was 0.1, is now not there"
        );
    }

    #[test]
    fn a_long_list_is_counted() {
        let value = |x: usize| Value::Object((0..9).map(|i| (format!("f{i}"), json!(x))).collect());
        let text = differences(&value(1), &value(2)).expect("they differ");
        assert!(text.ends_with("and 4 more"), "{text}");
    }
}
