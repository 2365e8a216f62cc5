//! Checkpoints on a disk that fails, and of another model.

use super::*;
use burn::module::Param;
use burn::tensor::{Device, Tensor};

use super::super::optimiser::adamw;
use super::super::settings::FitSettings;

#[derive(Module, Debug)]
struct Weight {
    value: Param<Tensor<1>>,
}

fn state(value: f32, epoch: usize) -> State<Weight> {
    let device = Device::flex().autodiff();
    let model = Weight { value: Param::from_tensor(Tensor::from_data([value], &device)) };
    let best = Some(model.valid());
    let position = Position { epoch, best: Some(Best { score: Exact(0.1), epoch }), ..Position::default() };
    let optimiser = adamw(&FitSettings::new(1, 0.1));
    State { model, average: Average::new(0.0), optimiser, best, position }
}

/// A disk that fills up: half of the file fits.
fn full(path: &Path, content: &[u8]) -> io::Result<()> {
    fs::write(path, &content[..content.len() / 2])?;
    Err(io::ErrorKind::StorageFull.into())
}

#[test]
fn a_full_disk_leaves_the_last_checkpoint_whole() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = Run::new(folder.path(), 0, &1).expect("a run");
    let (mut files, none) = RunFolder::open(&run).expect("a folder");
    assert_eq!(none, None);
    files.save(&state(1.0, 1)).expect("a checkpoint");
    files.write = full;
    let error = files.save(&state(2.0, 2)).expect_err("the disk is full");
    assert!(format!("{error:#}").contains("cannot write a checkpoint"), "{error:#}");

    let (files, position) = RunFolder::open(&Run { resume: true, ..run }).expect("the folder");
    let position = position.expect("the first checkpoint");
    assert_eq!(position.epoch, 1);
    let fresh = state(0.0, 0);
    let loaded = files.load(fresh.model, fresh.optimiser, 0.0, position).expect("it is whole");
    assert_eq!(loaded.model.value.val().into_scalar::<f32>(), 1.0);
    assert_eq!(loaded.best.expect("the best model").value.val().into_scalar::<f32>(), 1.0);
    // What was half written does not take up the little room there is.
    assert_eq!(
        fs::read_dir(folder.path()).expect("listed").count(),
        4,
        "configuration, latest, checkpoint, best"
    );
}

#[test]
fn a_checkpoint_of_another_model_is_refused() {
    #[derive(Module, Debug)]
    struct Two {
        value: Param<Tensor<1>>,
        other: Param<Tensor<1>>,
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = Run::new(folder.path(), 0, &1).expect("a run");
    RunFolder::open(&run).expect("a folder").0.save(&state(1.0, 1)).expect("a checkpoint");
    let (files, position) = RunFolder::open(&Run { resume: true, ..run }).expect("the folder");
    let (one, other) = (state(0.0, 0).model, state(0.0, 0).model);
    let two = Two { value: one.value, other: other.value };
    let error = files.load(two, adamw(&FitSettings::new(1, 0.1)), 0.0, position.expect("one"));
    let error = error.err().expect("two are not one");
    assert!(error.to_string().contains("1 trained parameters, the model has 2"), "{error}");
}
