//! The gradients. Pooling finds a matrix S with a single 1 in each row; unpooling applies Sᵀ and
//! `gather` applies S, so that each of these two is the other's gradient, of any order.
//!
//! For the way back pooling and unpooling keep the taps, one byte a value, and nothing of the tensors
//! they read. They are declared compute-bound, as Burn declares its own pooling: under gradient
//! checkpointing their results are kept, not computed again.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use unpool::{Geometry, IndexSpace, Overlap};

use crate::backend::MaxPoolBackend;

/// What a gradient needs: the taps and their geometry.
type State<B> = (IntTensor<B>, Geometry);

/// The gradient of pooling and of `gather`: Sᵀ.
#[derive(Debug)]
struct Unpool;

impl<B: MaxPoolBackend> Backward<B, 1> for Unpool {
    type State = State<B>;

    fn backward(
        self,
        ops: Ops<State<B>, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [parent] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (taps, geometry) = ops.state;
        if let Some(parent) = parent {
            let grad = B::max_unpool(grad, taps, geometry, Overlap::Sum);
            grads.register::<B>(parent.id, grad);
        }
    }
}

/// The gradient of unpooling: S.
#[derive(Debug)]
struct Gather;

impl<B: MaxPoolBackend> Backward<B, 1> for Gather {
    type State = State<B>;

    fn backward(
        self,
        ops: Ops<State<B>, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [parent] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (taps, geometry) = ops.state;
        if let Some(parent) = parent {
            grads.register::<B>(parent.id, B::gather(grad, taps, geometry));
        }
    }
}

impl<B: MaxPoolBackend, C: CheckpointStrategy> MaxPoolBackend for Autodiff<B, C> {
    fn max_pool(
        input: FloatTensor<Self>,
        geometry: Geometry,
    ) -> (FloatTensor<Self>, IntTensor<Self>) {
        match Unpool.prepare::<C>([input.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let (values, taps) = B::max_pool(input.into_primitive(), geometry);
                (prepared.finish((taps.clone(), geometry), values), taps)
            }
            OpsKind::UnTracked(prepared) => {
                let (values, taps) = B::max_pool(input.into_primitive(), geometry);
                (prepared.finish(values), taps)
            }
        }
    }

    fn max_pool_values(input: FloatTensor<Self>, geometry: Geometry) -> FloatTensor<Self> {
        match Unpool.prepare::<C>([input.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let (values, taps) = B::max_pool(input.into_primitive(), geometry);
                prepared.finish((taps, geometry), values)
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::max_pool_values(input.into_primitive(), geometry))
            }
        }
    }

    fn max_unpool(
        values: FloatTensor<Self>,
        taps: IntTensor<Self>,
        geometry: Geometry,
        overlap: Overlap,
    ) -> FloatTensor<Self> {
        match Gather.prepare::<C>([values.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let values = values.into_primitive();
                let output = B::max_unpool(values, taps.clone(), geometry, overlap);
                prepared.finish((taps, geometry), output)
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::max_unpool(values.into_primitive(), taps, geometry, overlap))
            }
        }
    }

    fn gather(
        unpooled: FloatTensor<Self>,
        taps: IntTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        match Unpool.prepare::<C>([unpooled.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let values = B::gather(unpooled.into_primitive(), taps.clone(), geometry);
                prepared.finish((taps, geometry), values)
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::gather(unpooled.into_primitive(), taps, geometry))
            }
        }
    }

    fn taps_to_indices(
        taps: IntTensor<Self>,
        geometry: Geometry,
        space: IndexSpace,
    ) -> IntTensor<Self> {
        B::taps_to_indices(taps, geometry, space)
    }
}
