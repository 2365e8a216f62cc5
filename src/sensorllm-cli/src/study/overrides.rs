//! Changes a TOML configuration in places named by dotted paths: `"model.head" = "encoder"`.

use anyhow::{Result, bail};
use toml::{Table, Value};

/// Puts each value of `changes` where its key says. A key is a path of table keys joined by dots; tables on the way that
/// are missing are made. A table among the values replaces what was there, it is not merged into it, so that an encoder of
/// another family does not inherit the fields of the first.
pub fn apply(config: &mut Table, changes: &Table) -> Result<()> {
    for (path, value) in changes {
        set(config, path, value.clone())?;
    }
    Ok(())
}

fn set(config: &mut Table, path: &str, value: Value) -> Result<()> {
    let Some((first, rest)) = path.split_once('.') else {
        config.insert(path.to_owned(), value);
        return Ok(());
    };
    let inner = config.entry(first).or_insert_with(|| Value::Table(Table::new()));
    match inner {
        Value::Table(inner) => set(inner, rest, value),
        _ => bail!("`{path}` cannot be set: `{first}` is not a table"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        text.parse().expect("valid TOML")
    }

    #[test]
    fn values_land_where_their_paths_say_and_nowhere_else() {
        let mut config = table(
            "seed = 1\n[model]\nhead = 'llm'\n[model.encoder]\nlayers = 1\nfamily = { kind = 'bolt', patch = 16 }",
        );
        let changes = table(
            "seed = 2\n'model.head' = 'encoder'\n'model.encoder.family' = { kind = 't5' }\n'model.statistics' = 'none'\n'new.inner' = 1",
        );
        apply(&mut config, &changes).expect("all paths are tables");
        let expected = table(
            "seed = 2\n[model]\nhead = 'encoder'\nstatistics = 'none'\n[model.encoder]\nlayers = 1\nfamily = { kind = 't5' }\n[new]\ninner = 1",
        );
        assert_eq!(config, expected);
    }

    #[test]
    fn a_path_through_a_value_is_refused() {
        let error = apply(&mut table("seed = 1"), &table("'seed.x' = 1")).expect_err("seed is a number");
        assert!(error.to_string().contains("`seed` is not a table"), "{error}");
    }
}
