"""Fine-tunes a TorchScript classifier on a folder of images with DistributedDataParallel.

    python3 finetune.py --model model.pt --data FOLDER --out finetuned.pt                   one process
    torchrun --nproc_per_node 8 finetune.py --model ...                                     one machine
    torchrun --nnodes 4 --nproc_per_node 8 --rdzv_backend c10d --rdzv_endpoint HOST:29500 \\
        finetune.py --model ...                                                             on each of four machines

Without torchrun: the same command for every rank, with RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT set.
The model turns images (N, 3, H, W), normalised as for torchvision's models, into logits (N, classes). FOLDER has one
folder of images for each class, the same on every machine. --batch-size is the whole batch, of which each rank takes its
share, so any number of processes makes the same steps (but BatchNorm takes the statistics of the share). The file is
written by rank 0.
"""
import argparse, math, os, sys

import torch
import torch.distributed as dist
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader
from torch.utils.data.distributed import DistributedSampler
from torchvision import transforms
from torchvision.datasets import ImageFolder

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)   # of ImageNet, as torchvision's models take images
LAUNCH = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
LAUNCHED = "RANK" in os.environ or "WORLD_SIZE" in os.environ
RANK, WORLD, LOCAL = (int(os.environ.get(name, alone)) for name, alone in zip(LAUNCH, (0, 1, 0)))


def fail(message):
    sys.exit(f"rank {RANK}: {message}")


def options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", required=True, help="TorchScript file of the classifier")
    parser.add_argument("--data", required=True, help="folder with one folder of images for each class")
    parser.add_argument("--out", required=True, help="file for the fine-tuned model, in eval mode, as CPU tensors")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=32, help="of all ranks together")
    parser.add_argument("--lr", type=float, default=0.01, help="of SGD with momentum 0.9")
    parser.add_argument("--seed", type=int, default=1, help="of the order of the images, and of dropout")
    parser.add_argument("--image-size", type=int, nargs=2, default=(64, 64), metavar=("H", "W"), help="images are scaled to it")
    parser.add_argument("--workers", type=int, default=0, help="processes of each rank that read images")
    return parser.parse_args()


def start():
    """The device of this rank, after it has joined the others."""
    cuda = torch.cuda.is_available()
    if cuda and LOCAL >= torch.cuda.device_count():
        fail(f"LOCAL_RANK {LOCAL} on a machine with {torch.cuda.device_count()} GPUs: start one process for each "
             "(or CPU processes with CUDA_VISIBLE_DEVICES= )")
    if cuda:
        torch.cuda.set_device(LOCAL)
    backend = "nccl" if cuda and dist.is_nccl_available() else "gloo"
    alone = {} if LAUNCHED else {"store": dist.HashStore(), "rank": 0, "world_size": 1}
    dist.init_process_group(backend, **alone)
    return torch.device("cuda", LOCAL) if cuda else torch.device("cpu")


def read_data(args):
    transform = transforms.Compose([transforms.Resize(tuple(args.image_size)), transforms.ToTensor(), transforms.Normalize(MEAN, DEVIATION)])
    try:
        data = ImageFolder(args.data, transform)
    except FileNotFoundError as error:
        fail(f"--data: expected one folder of images for each class in {args.data}: {error}")
    if len(data) < WORLD:
        fail(f"--data: {len(data)} images are too few for {WORLD} processes")
    if args.batch_size < 1 or args.batch_size % WORLD:
        fail(f"--batch-size: expected a multiple of the {WORLD} processes, got {args.batch_size}")
    return data


def read_model(args, data):
    try:
        model = torch.jit.load(args.model, map_location="cpu").eval()
    except (RuntimeError, ValueError) as error:
        fail(f"--model: cannot load {args.model}: {str(error).splitlines()[0]}")
    with torch.no_grad():
        logits = model(data[0][0][None])
    if logits.shape != (1, len(data.classes)):
        fail(f"--model: expected logits (1, {len(data.classes)}) for an image, as --data has {len(data.classes)} classes, got {tuple(logits.shape)}")
    return model


def check_same_data(data):
    """Ranks that make different numbers of steps would wait for each other for ever."""
    seen = [None] * WORLD
    dist.all_gather_object(seen, (data.classes, len(data)))
    for rank, (classes, count) in enumerate(seen):   # all ranks see all, so all end alike
        if (classes, count) != seen[0]:
            fail(f"--data: rank 0 has {seen[0][1]} images of {seen[0][0]}, rank {rank} {count} of {classes}")


def train(model, data, device, args):
    torch.manual_seed(args.seed + RANK)   # the ranks' dropout masks differ
    ddp = DistributedDataParallel(model, device_ids=[LOCAL] if device.type == "cuda" else None)
    sampler = DistributedSampler(data, num_replicas=WORLD, rank=RANK, shuffle=True, seed=args.seed)
    loader = DataLoader(data, args.batch_size // WORLD, sampler=sampler, num_workers=args.workers, pin_memory=device.type == "cuda")
    optimizer = torch.optim.SGD(ddp.parameters(), args.lr, momentum=0.9)
    ddp.train()
    for epoch in range(args.epochs):
        sampler.set_epoch(epoch)   # another order, the same on all ranks
        total = torch.zeros(2, dtype=torch.float64, device=device)   # sum of the losses, number of images
        for images, labels in loader:
            images, labels = images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
            loss = cross_entropy(ddp(images), labels)
            optimizer.zero_grad()
            loss.backward()   # averages the gradients over the ranks
            optimizer.step()
            total[0] += loss.detach() * len(labels)
            total[1] += len(labels)
        dist.all_reduce(total)
        mean = (total[0] / total[1]).item()
        if not math.isfinite(mean):
            fail("the loss is no longer finite: lower --lr")
        if RANK == 0:
            print(f"epoch {epoch + 1}: loss {mean:.4f}", flush=True)


def check_equal_parameters(model, device):
    different = []
    for name, parameter in model.named_parameters():
        reference = parameter.detach().clone()
        dist.broadcast(reference, src=0)
        if not torch.equal(reference, parameter):
            different.append(name)
    total = torch.tensor(float(len(different)), device=device)
    dist.all_reduce(total)
    if total > 0:
        fail(f"nothing is saved, the ranks ended with different parameters, of this rank: {', '.join(different) or 'none'}")
    print(f"rank {RANK}: parameters equal rank 0's", flush=True)


def save(model, path):
    # Buffers, as BatchNorm's running statistics, are rank 0's: DDP copies them to all ranks before every step.
    temporary = f"{path}.{os.getpid()}.partial"
    try:
        torch.jit.save(model.cpu().eval(), temporary)   # CPU tensors load everywhere
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def main():
    args = options()
    missing = [name for name in LAUNCH if name not in os.environ]
    if LAUNCHED and missing:
        fail(f"started as one of several processes, but without {', '.join(missing)} in the environment")
    if RANK == 0 and not os.path.isdir(os.path.dirname(os.path.abspath(args.out))):
        fail(f"--out: no folder for {args.out}")
    data = read_data(args)
    model = read_model(args, data)
    device = start()
    check_same_data(data)
    model = model.to(device)
    train(model, data, device, args)
    check_equal_parameters(model, device)
    if RANK == 0:
        save(model, args.out)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
