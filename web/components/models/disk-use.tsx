"use client";

import { useQuery } from "@tanstack/react-query";
import { asking } from "@/lib/api/client";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/models";

const GB = 1e9;

/** What the models take of their disk, and what of it is free. */
export function DiskUse() {
  const { t, format } = useArea(texts);
  const usage = useQuery(asking("/api/v1/models/usage")).data?.usage;
  if (!usage?.disk_usage_gb) return null;
  const { disk_usage_gb: taken, disk_system_total_gb: total, disk_system_used_gb: used } = usage;
  const size = t.on_disk(format.bytes(taken * GB));
  return <span>{total === null || used === null ? size : `${size}, ${t.disk_free(format.bytes((total - used) * GB))}`}</span>;
}
