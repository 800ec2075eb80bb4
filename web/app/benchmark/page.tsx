import { BenchmarkPage } from "@/components/benchmark/benchmark-page";

export default BenchmarkPage;
