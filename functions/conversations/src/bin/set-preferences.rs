fn main() -> std::process::ExitCode {
    conversations::set_preferences::main()
}
