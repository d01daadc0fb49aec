"""The pipeline that pgsluice replaces, as users of PySpark Structured Streaming write it.

Watches a folder of CSV files, casts and derives, drops what is not valid, and appends each
micro-batch to a table over JDBC. The checkpoint carries it over a restart.
"""

import argparse

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, hour, to_date, to_timestamp
from pyspark.sql.types import (
    DecimalType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

SCHEMA = StructType(
    [
        StructField("event_id", StringType()),
        StructField("event_timestamp", StringType()),
        StructField("event_type", StringType()),
        StructField("user_id", LongType()),
        StructField("product_id", LongType()),
        StructField("product_name", StringType()),
        StructField("category", StringType()),
        StructField("price", DecimalType(12, 2)),
        StructField("quantity", IntegerType()),
    ]
)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("events")
    parser.add_argument("--url", required=True, help="jdbc:postgresql://…")
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--table", required=True)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--driver", required=True, help="path of the JDBC driver's jar")
    parser.add_argument("--once", action="store_true", help="load what is there, then end")
    return parser.parse_args()


def main():
    args = arguments()
    spark = (
        SparkSession.builder.appName("user_events")
        .master("local[*]")
        .config("spark.jars", args.driver)
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    properties = {
        "driver": "org.postgresql.Driver",
        "user": args.user,
        "password": args.password,
        "batchsize": "10000",
        "reWriteBatchedInserts": "true",
        # event_id is a string here, and a uuid there
        "stringtype": "unspecified",
    }

    events = (
        spark.readStream.schema(SCHEMA)
        .option("header", "true")
        .option("escape", '"')
        .csv(args.events)
        .withColumn("event_timestamp", to_timestamp(col("event_timestamp")))
        .withColumn("event_date", to_date(col("event_timestamp")))
        .withColumn("event_hour", hour(col("event_timestamp")).cast("smallint"))
        .filter(
            col("event_id").isNotNull()
            & col("event_timestamp").isNotNull()
            & col("event_type").isin("view", "purchase")
            & (col("user_id") > 0)
            & (col("product_id") > 0)
            & (col("price") >= 0)
            & (col("quantity") >= 1)
        )
    )

    def append(batch, _batch_id):
        batch.write.jdbc(args.url, args.table, mode="append", properties=properties)

    writer = events.writeStream.foreachBatch(append).option("checkpointLocation", args.checkpoint)
    if args.once:
        writer = writer.trigger(availableNow=True)
    writer.start().awaitTermination()


if __name__ == "__main__":
    main()
