fn main() -> std::process::ExitCode {
    users::list_blocks::main()
}
