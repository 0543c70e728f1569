//! A session: a plan on a device, forward to the layers' responses, and back to the input.

use std::collections::HashMap;

#[cfg(not(target_arch = "wasm32"))]
use unpool::Engine;
use unpool::Gpu;

use crate::back::{Back, Manner};
use crate::cpu::Cpu;
use crate::error::{Error, extents};
use crate::gpu::GpuMachine;
use crate::keep::Keep;
use crate::machine::Machine;
use crate::memory::Memory;
use crate::plan::Plan;
use crate::program::{Content, Instruction, PieceId, SlotId};
use crate::reading::{Numbers, Reading};
use crate::storage::Storage;
use crate::targets::Targets;

/// A plan on a device.
///
/// ```no_run
/// use unpool_cnn::{Engine, Keep, Model, Rule, Session, Target};
///
/// let plan = Model::open("digits.onnx")?.plan(&[1, 1, 32, 32])?;
/// let mut session = Session::new(&Engine::detect(), plan, Keep::All)?;
/// session.forward(&[0.5; 32 * 32])?;
/// let projection = session.look_back("relu3", Target::Strongest(0), Rule::Guided)?;
/// assert_eq!(projection.map.shape, [1, 1, 32, 32]);
/// # Ok::<(), unpool_cnn::Error>(())
/// ```
pub struct Session {
    plan: Plan,
    storage: Storage,
    /// For each layer whether it is kept, and whether the way back from it can run.
    kept: Vec<bool>,
    looked_back_from: Vec<bool>,
    /// Whether relevance can be sent back from the layers that can be looked back from.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) has_relevance: bool,
    /// The piece of each tensor of the plan that has one.
    assigned: Vec<Option<PieceId>>,
    /// For each piece of the forward direction whether the way back must leave it as it is.
    reserved: Vec<bool>,
    /// Bytes of the tensors of the plan, and of the longest way back so far.
    forward_bytes: u64,
    back_bytes: u64,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("memory", &self.memory()).finish_non_exhaustive()
    }
}

impl Session {
    /// Uploads the weights and allocates the tensors.
    ///
    /// # Errors
    ///
    /// If a layer to keep does not exist, or the device refuses the memory.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn new(engine: &Engine, plan: Plan, keep: Keep<'_>) -> Result<Self, Error> {
        match engine {
            Engine::Gpu(gpu) => Self::on_gpu(gpu, plan, keep),
            _ => Self::on_cpu(plan, keep),
        }
    }

    /// A session on the CPU.
    ///
    /// # Errors
    ///
    /// If a layer to keep does not exist, or the memory cannot be allocated.
    pub fn on_cpu(plan: Plan, keep: Keep<'_>) -> Result<Self, Error> {
        Self::on(Box::new(Cpu::default()), plan, keep)
    }

    /// A session on a device, which may be the application's own.
    ///
    /// # Errors
    ///
    /// If a layer to keep does not exist, or the device refuses the memory.
    pub fn on_gpu(gpu: &Gpu, plan: Plan, keep: Keep<'_>) -> Result<Self, Error> {
        Self::on(Box::new(GpuMachine::new(gpu)), plan, keep)
    }

    fn on(machine: Box<dyn Machine>, plan: Plan, keep: Keep<'_>) -> Result<Self, Error> {
        let kept = keep.kept(&plan)?;
        let pinned = keep.pinned(&plan, &kept);
        let mut storage = Storage::new(machine);
        let mut assigned = upload_weights(&plan, &mut storage)?;
        let input = plan.input.slot;
        assigned[input] = Some(storage.arena.push(plan.slots[input].bytes));
        // What no image changes is computed once, so no other tensor may take its memory.
        for varies in [false, true] {
            let reserved = vec![true; storage.arena.sizes.len()];
            storage.assign(
                &part(&plan, varies),
                |slot| plan.slots[slot].bytes,
                |slot| pinned[slot],
                &mut assigned,
                &reserved,
            );
        }
        let mut reserved = vec![false; storage.arena.sizes.len()];
        let mut forward_bytes = 0;
        for (slot, &piece) in assigned.iter().enumerate() {
            let Some(piece) = piece else { continue };
            let is_weights = matches!(plan.slots[slot].content, Content::Weights { .. });
            reserved[piece] |= is_weights || pinned[slot] || slot == input;
            forward_bytes += if is_weights { 0 } else { plan.slots[slot].bytes };
        }
        let looked_back_from = keep.looked_back_from(&kept);
        let mut session = Self {
            plan,
            storage,
            kept,
            looked_back_from,
            #[cfg(not(target_arch = "wasm32"))]
            has_relevance: keep.has_relevance(),
            assigned,
            reserved,
            forward_bytes,
            back_bytes: 0,
        };
        session.allocate()?;
        session.run(false)?;
        Ok(session)
    }

    /// Runs the part of the plan that depends on the input, or the part that does not.
    fn run(&mut self, varies: bool) -> Result<(), Error> {
        self.storage.run(&part(&self.plan, varies), &self.assigned)
    }

    /// Allocates new pieces of the arena. A refusal names the node that the piece was for.
    fn allocate(&mut self) -> Result<(), Error> {
        let Err((piece, error)) = self.storage.allocate() else { return Ok(()) };
        let Error::Memory { needed, allowed, .. } = error else { return Err(error) };
        let is_piece = |slot: &SlotId| self.assigned.get(*slot) == Some(&Some(piece));
        let node = self.plan.instructions.iter().find(|i| i.writes.iter().any(is_piece));
        let layer = node.and_then(|i| self.plan.layers.get(i.layer));
        let tensor = match layer {
            Some(layer) => format!("node {:?} ({}): a tensor", layer.name, layer.operator),
            None => "a tensor of the way back".into(),
        };
        Err(Error::Memory { tensor, needed, allowed })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The memory that is allocated so far.
    pub fn memory(&self) -> Memory {
        Memory {
            weights: self.storage.weights_bytes(),
            tensors: self.storage.tensors_bytes(),
            unshared: self.forward_bytes + self.back_bytes + self.storage.scratch_bytes(),
        }
    }

    /// Runs the model on a batch of images of [`Plan::input_shape`].
    ///
    /// # Errors
    ///
    /// If there are more or fewer elements, or the device fails.
    pub fn forward(&mut self, images: &[f32]) -> Result<(), Error> {
        let shape = self.plan.input_shape();
        let needed: usize = shape.iter().product();
        if images.len() != needed {
            return Err(Error::Input {
                found: format!("{} elements", images.len()),
                allowed: format!("{needed} are needed for {}", extents(shape)),
            });
        }
        let Some(input) = self.assigned[self.plan.input.slot] else { return Ok(()) };
        self.storage.write(input, images)?;
        self.run(true)
    }

    pub(crate) fn read_layer(&mut self, layer: usize) -> Result<Reading, Error> {
        let tensor = &self.plan.layers[layer].tensor;
        let len = tensor.shape.iter().product();
        let numbers = self.storage.read(self.assigned[tensor.slot], len)?;
        Ok(Reading { shape: tensor.shape.clone(), numbers })
    }

    /// The number of a kept layer.
    pub(crate) fn kept_index(&self, layer: &str) -> Result<usize, Error> {
        self.index_among(&self.kept, layer, "")
    }

    /// The number of a layer that was kept with the tensors that the way back from it reads.
    fn looked_back_index(&self, layer: &str) -> Result<usize, Error> {
        self.index_among(&self.looked_back_from, layer, " to look back from")
    }

    fn index_among(&self, allowed: &[bool], layer: &str, purpose: &str) -> Result<usize, Error> {
        let index = self.plan.index(layer)?;
        if allowed[index] {
            return Ok(index);
        }
        let names = self.plan.layers.iter().zip(allowed).filter(|(_, allowed)| **allowed);
        let names: Vec<_> = names.map(|(layer, _)| layer.name()).collect();
        let names = if names.is_empty() { "none".into() } else { names.join(", ") };
        Err(Error::NotKept { layer: layer.into(), allowed: names + purpose })
    }

    /// The number of a kept layer that has the targets.
    pub(crate) fn index_with(&self, layer: &str, targets: &Targets) -> Result<usize, Error> {
        let index = self.looked_back_index(layer)?;
        targets.check(&self.plan.layers[index])?;
        Ok(index)
    }

    /// The number of a kept layer that has as many elements as a signal.
    pub(crate) fn index_for(&self, layer: &str, signal: &[f32]) -> Result<usize, Error> {
        let index = self.looked_back_index(layer)?;
        let shape = self.plan.layers[index].shape();
        let needed: usize = shape.iter().product();
        if signal.len() != needed {
            return Err(Error::Target {
                layer: layer.into(),
                found: format!("a signal of {} elements", signal.len()),
                allowed: format!("{needed} are needed for {}", extents(shape)),
            });
        }
        Ok(index)
    }

    /// Runs the way back from a layer to the input, or to another layer, with a signal of as many
    /// elements as the layer has.
    pub(crate) fn send_back_from(
        &mut self,
        layer: usize,
        signal: &[f32],
        manner: Manner,
        end: Option<usize>,
    ) -> Result<Reading, Error> {
        let end = match end {
            Some(layer) => &self.plan.layers[layer].tensor,
            None => &self.plan.input,
        };
        let back = Back::new(&self.plan, layer, manner, end.slot);
        let count = self.plan.slots.len();
        let bytes = |slot: SlotId| match slot.checked_sub(count) {
            Some(own) => back.slots[own].bytes,
            None => self.plan.slots[slot].bytes,
        };
        let shape = end.shape.clone();
        let len = shape.iter().product();
        let Some(result) = back.result else {
            return Ok(Reading { shape, numbers: Numbers::Ready(vec![0.0; len]) });
        };
        let own_bytes = back.slots.iter().map(|slot| slot.bytes).sum();
        self.back_bytes = self.back_bytes.max(own_bytes);
        let mut assigned = self.assigned.clone();
        assigned.resize(count + back.slots.len(), None);
        // The host writes the seed before the program runs, so the seed has a piece that no other
        // tensor of the way back uses.
        let arena = &mut self.storage.arena;
        let is_free = |piece: PieceId| !self.reserved.get(piece).copied().unwrap_or(false);
        let seed = (0..arena.sizes.len())
            .filter(|&piece| is_free(piece) && arena.sizes[piece] >= bytes(back.seed))
            .min_by_key(|&piece| arena.sizes[piece]);
        let seed = seed.unwrap_or_else(|| arena.push(bytes(back.seed)));
        assigned[back.seed] = Some(seed);
        let mut reserved = self.reserved.clone();
        reserved.resize(arena.sizes.len(), false);
        reserved[seed] = true;
        let pinned = |slot: SlotId| slot == result;
        let instructions: Vec<_> = back.instructions.iter().collect();
        self.storage.assign(&instructions, bytes, pinned, &mut assigned, &reserved);
        self.allocate()?;
        self.storage.write(seed, signal)?;
        self.storage.run(&instructions, &assigned)?;
        let numbers = self.storage.read(assigned[result], len)?;
        Ok(Reading { shape, numbers })
    }
}

/// The part of a plan that depends on the input, or the part that does not.
fn part(plan: &Plan, varies: bool) -> Vec<&Instruction> {
    plan.instructions.iter().filter(|i| plan.slots[i.writes[0]].varies == varies).collect()
}

/// Uploads each part of the weights once, and returns the piece of each tensor of weights.
fn upload_weights(plan: &Plan, storage: &mut Storage) -> Result<Vec<Option<PieceId>>, Error> {
    let mut assigned = vec![None; plan.slots.len()];
    let mut uploaded = HashMap::new();
    for (slot, assigned) in plan.slots.iter().zip(&mut assigned) {
        let Content::Weights { data, part } = &slot.content else { continue };
        let key = (data.address(), part.clone());
        let piece = match uploaded.get(&key) {
            Some(&piece) => piece,
            None => {
                let piece = storage.upload(slot.bytes, data, part.clone())?;
                uploaded.insert(key, piece);
                piece
            }
        };
        *assigned = Some(piece);
    }
    Ok(assigned)
}
