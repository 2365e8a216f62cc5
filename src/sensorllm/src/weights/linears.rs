//! Finds a module's linear maps by their paths, because those are what a file may hold quantised.

use super::layers::Linear;

/// A module that contains linear maps.
pub trait Linears {
    /// Adds every linear map inside, with its path in the module tree, to `all`. `path` is the module's own.
    fn linears<'a>(&'a mut self, path: &str, all: &mut Vec<(String, &'a mut Linear)>);
}

impl<T: Linears> Linears for Vec<T> {
    fn linears<'a>(&'a mut self, path: &str, all: &mut Vec<(String, &'a mut Linear)>) {
        for (index, item) in self.iter_mut().enumerate() {
            item.linears(&child(path, &index.to_string()), all);
        }
    }
}

impl<T: Linears> Linears for Option<T> {
    fn linears<'a>(&'a mut self, path: &str, all: &mut Vec<(String, &'a mut Linear)>) {
        if let Some(item) = self {
            item.linears(path, all);
        }
    }
}

/// The path of a field of the module at `path`.
pub(crate) fn child(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// Implements [`Linears`] for a struct: names the fields that are, or contain, linear maps.
macro_rules! linears {
    ($module:ty: $($field:ident),*) => {
        impl $crate::weights::Linears for $module {
            fn linears<'a>(&'a mut self, path: &str, all: &mut Vec<(String, &'a mut $crate::weights::Linear)>) {
                use $crate::weights::child;
                $(self.$field.linears(&child(path, stringify!($field)), all);)*
            }
        }
    };
}
pub(crate) use linears;
