//! The operations under Fusion: described now, run when Burn needs their results.
//!
//! Burn's macro could write this. It would tell the description nothing of the geometry, which a server
//! that replays a graph of Burn's needs: see `deferred.rs`.

use std::fmt;
use std::marker::PhantomData;

use burn::backend::ExecutionError;
use burn::backend::fusion::stream::{self, StreamId};
use burn::backend::fusion::{Fusion, FusionBackend, FusionHandle, FusionTensor};
use burn::backend::ir::{CustomOpIr, HandleContainer, OperationIr, TensorIr};
use unpool::{Geometry, IndexSpace, Overlap};

use crate::backend::MaxPoolBackend;
use crate::deferred::{Operation, encode};

type Tensor<B> = FusionTensor<<B as FusionBackend>::FusionRuntime>;

impl<B: FusionBackend + MaxPoolBackend> MaxPoolBackend for Fusion<B> {
    fn max_pool(input: Tensor<B>, geometry: Geometry) -> (Tensor<B>, Tensor<B>) {
        let mut results = defer::<B>(Operation::MaxPool, geometry, vec![input]).into_iter();
        (results.next().expect("the values"), results.next().expect("the taps"))
    }

    fn max_pool_values(input: Tensor<B>, geometry: Geometry) -> Tensor<B> {
        only::<B>(Operation::MaxPoolValues, geometry, vec![input])
    }

    fn max_unpool(
        values: Tensor<B>,
        taps: Tensor<B>,
        geometry: Geometry,
        overlap: Overlap,
    ) -> Tensor<B> {
        only::<B>(Operation::MaxUnpool(overlap), geometry, vec![values, taps])
    }

    fn gather(unpooled: Tensor<B>, taps: Tensor<B>, geometry: Geometry) -> Tensor<B> {
        only::<B>(Operation::Gather, geometry, vec![unpooled, taps])
    }

    fn taps_to_indices(taps: Tensor<B>, geometry: Geometry, space: IndexSpace) -> Tensor<B> {
        only::<B>(Operation::TapsToIndices(space), geometry, vec![taps])
    }
}

/// The one result of an operation.
fn only<B: FusionBackend + MaxPoolBackend>(
    operation: Operation,
    geometry: Geometry,
    inputs: Vec<Tensor<B>>,
) -> Tensor<B> {
    defer::<B>(operation, geometry, inputs).remove(0)
}

/// Registers an operation, and returns tensors that will have its results.
fn defer<B: FusionBackend + MaxPoolBackend>(
    operation: Operation,
    geometry: Geometry,
    inputs: Vec<Tensor<B>>,
) -> Vec<Tensor<B>> {
    let (client, dtype) = (inputs[0].client.clone(), inputs[0].dtype);
    let results = operation.results(&geometry, dtype).into_iter();
    let outputs: Vec<_> = results
        .map(|(shape, dtype)| TensorIr::uninit(client.create_empty_handle(), shape, dtype))
        .collect();
    let inputs: Vec<_> = inputs.into_iter().map(|tensor| tensor.into_ir()).collect();
    let description = CustomOpIr {
        id: operation.id().to_owned(),
        inputs: inputs.clone(),
        outputs: outputs.clone(),
        scalars: encode(&geometry),
    };
    let deferred = Deferred::<B> { operation, geometry, inputs, outputs, backend: PhantomData };
    client.register(StreamId::current(), OperationIr::Custom(description), deferred)
}

/// An operation that has not run yet.
struct Deferred<B> {
    operation: Operation,
    geometry: Geometry,
    inputs: Vec<TensorIr>,
    outputs: Vec<TensorIr>,
    backend: PhantomData<fn() -> B>,
}

impl<B> fmt::Debug for Deferred<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {:?}", self.operation, self.geometry)
    }
}

impl<B: FusionBackend + MaxPoolBackend> stream::Operation<B::FusionRuntime> for Deferred<B> {
    fn execute(
        &self,
        handles: &mut HandleContainer<FusionHandle<B::FusionRuntime>>,
    ) -> Result<(), ExecutionError> {
        self.operation.run::<B>(self.geometry, &self.inputs, &self.outputs, handles);
        Ok(())
    }
}
